/** Scenarios in which the server is killed and comes back: what must survive that, and what not. */

import { expect } from './harness.mjs';

const PERSISTENT = { persistent: 'true' };
const INDIVIDUAL = { ack: 'client-individual' };

/** What was confirmed survives in order; only what was handed out before is marked. */
export async function persistence_of_messages(peer) {
  const producer = await peer.connect();
  await producer.send(peer.queue(), 'handed out', PERSISTENT);
  await producer.send(peer.queue(), 'acknowledged', PERSISTENT);
  await producer.send(peer.queue('quiet'), '1', PERSISTENT);
  await producer.send(peer.queue('quiet'), 'need not survive');
  await producer.send(peer.queue('quiet'), '2', PERSISTENT);
  let reader = await peer.connect();
  await reader.subscribe(peer.queue(), INDIVIDUAL);
  const [, acknowledged] = await reader.receive('handed out', 'acknowledged');
  await reader.ack(acknowledged);
  await peer.tell('kill');

  reader = await peer.connect();
  await reader.subscribe(peer.queue(), INDIVIDUAL);
  const [again] = await reader.receive('handed out');
  expect(again.headers.redelivered, 'true', 'redelivered after a crash');
  await reader.ack(again);
  await reader.receiveNothing();
  await reader.unsubscribe();
  await reader.subscribe(peer.queue('quiet'));
  const frames = await reader.receive('1', '2');
  const marks = frames.map(({ headers }) => headers.redelivered ?? 'false');
  expect(marks, ['false', 'false'], 'redelivered of what nobody was given');
  await reader.receiveNothing();
}

/** A durable subscription survives with what waits in it, and gets what comes afterwards. */
export async function persistence_of_a_durable_subscription(peer) {
  const name = `${peer.prefix}-desk`;
  const durable = { 'activemq.subscriptionName': name };
  const come = () => peer.connect({ connectHeaders: { 'client-id': name } });
  let reader = await come();
  await reader.subscribe(peer.topic(), { ...durable, ...INDIVIDUAL });
  const producer = await peer.connect();
  await producer.send(peer.topic(), 'read', PERSISTENT);
  const [read] = await reader.receive('read');
  await reader.ack(read);
  await reader.close();
  await producer.send(peer.topic(), 'before', PERSISTENT);
  await peer.tell('kill');

  await (await peer.connect()).send(peer.topic(), 'after', PERSISTENT);
  reader = await come();
  await reader.subscribe(peer.topic(), durable);
  await reader.receive('before', 'after');
  await reader.receiveNothing();
  await reader.unsubscribe();
  await reader.unsubscribe(durable);
}

/** A committed transaction survives as a whole; of one that was not there is nothing. */
export async function persistence_of_transactions(peer) {
  const worker = await peer.connect();
  await worker.send(peer.queue('in'), 'first', PERSISTENT);
  await worker.send(peer.queue('in'), 'second', PERSISTENT);
  await worker.subscribe(peer.queue('in'), INDIVIDUAL);
  const frames = await worker.receive('first', 'second');
  const transactions = [];
  for (const [index, name] of ['done', 'open'].entries()) {
    const transaction = worker.stomp.begin(name);
    await worker.ack(frames[index], { transaction: name });
    for (const number of ['1', '2']) {
      const headers = { ...PERSISTENT, transaction: name };
      await worker.send(peer.queue('out'), `${name} ${number}`, headers);
    }
    transactions.push(transaction);
  }
  transactions[0].commit();
  await worker.settle();
  await peer.tell('kill');

  const reader = await peer.connect();
  await reader.subscribe(peer.queue('out'), { id: 'out' });
  await reader.receive('done 1', 'done 2');
  await reader.subscribe(peer.queue('in'), { id: 'in' });
  await reader.receive('second');
  await reader.receiveNothing();
}
