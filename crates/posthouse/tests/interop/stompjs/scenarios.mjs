/**
 * Scenarios that stompjs plays against a server over TCP.
 *
 * Usage: node scenarios.mjs HOST PORT SCENARIO, in the directory where the client is installed.
 *
 * Exits with 0 when the scenario went as expected in every protocol version that it concerns, and
 * with 1 after saying what went wrong. A line `@restart` or `@kill` on the output asks the caller
 * to stop the server, kindly or not, and to start it again on the same port; a line `ready`
 * answers.
 */

import { DIALECT, ErrorFrame, Failure, Peer, RECONNECT_MS, expect } from './harness.mjs';
import {
  persistence_of_a_durable_subscription,
  persistence_of_messages,
  persistence_of_transactions,
} from './persistence.mjs';

const ALL = ['1.0', '1.1', '1.2'];
const SINCE_1_1 = ['1.1', '1.2'];
const NEWEST = ['1.2'];
const INDIVIDUAL = { ack: 'client-individual' };

/** Bodies arrive byte for byte, with and without a length. */
async function bodies(peer) {
  const client = await peer.connect();
  await client.subscribe(peer.queue());
  const every = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
  for (const body of [Uint8Array.of(97, 0, 98, 0), new Uint8Array(), every]) {
    await client.send(peer.queue(), body);
    const frame = await client.take('message');
    expect(Buffer.from(frame.binaryBody).equals(body), true, 'bytes arrived');
  }
  for (const skipContentLengthHeader of [false, true]) {
    await client.send(peer.queue(), 'Grüße, 驿站', {}, { skipContentLengthHeader });
    await client.receive('Grüße, 驿站');
  }
}

/** Header values arrive as they were sent, whatever the version makes of escapes. */
async function headers(peer) {
  const values = { plain: 'x', empty: '', unicode: 'ключ 驿站', inner: 'a b' };
  if (peer.version === '1.2') {
    // This client escapes in 1.2 only, and takes a backslash before an `n` for an escape.
    Object.assign(values, { colon: 'a:b', newline: 'a\nb', return: 'a\rb', backslash: 'a\\b' });
  }
  const client = await peer.connect();
  await client.subscribe(peer.queue());
  await client.send(peer.queue(), 'x', values);
  const [frame] = await client.receive('x');
  const found = Object.keys(values).map((name) => [name, frame.headers[name]]);
  expect(Object.fromEntries(found), values, 'headers');
  expect(frame.headers.destination, peer.queue(), 'destination');
}

/** Two consumers share a queue: each message goes to one of them. */
async function competing_consumers(peer) {
  const workers = [await peer.connect(), await peer.connect()];
  for (const worker of workers) {
    await worker.subscribe(peer.queue(), { ...INDIVIDUAL, 'activemq.prefetchSize': '1' });
  }
  const producer = await peer.connect();
  const sent = Array.from({ length: 20 }, (_, number) => String(number));
  for (const body of sent) {
    await producer.send(peer.queue(), body);
  }
  const found = [];
  while (found.length < sent.length) {
    const worker = workers[found.length % workers.length];
    const frame = await worker.take('message');
    found.push(frame.body);
    await worker.ack(frame);
  }
  expect(found.sort(), sent.sort(), 'messages shared out');
}

/** Every subscriber gets every message in order; who comes later gets what comes later. */
async function topic_fan_out(peer) {
  const subscribers = [await peer.connect(), await peer.connect(), await peer.connect()];
  for (const subscriber of subscribers) {
    await subscriber.subscribe(peer.topic());
  }
  const producer = await peer.connect();
  for (const body of 'abcde') {
    await producer.send(peer.topic(), body);
  }
  for (const subscriber of subscribers) {
    await subscriber.receive(...'abcde');
  }
  const late = await peer.connect();
  await late.subscribe(peer.topic());
  await producer.send(peer.topic(), 'f');
  await late.receive('f');
}

/** `*` stands for one part of a name, `>` for all that follow. */
async function topic_wildcards(peer) {
  const onePart = await peer.connect();
  const allParts = await peer.connect();
  await onePart.subscribe(`${peer.topic()}.*`);
  await allParts.subscribe(`${peer.topic()}.>`);
  const producer = await peer.connect();
  for (const name of ['x', 'x.y', 'z']) {
    await producer.send(`${peer.topic()}.${name}`, name);
  }
  const [frame] = await onePart.receive('x', 'z');
  expect(frame.headers.destination, `${peer.topic()}.x`, 'destination of a match');
  await allParts.receive('x', 'x.y', 'z');
  await onePart.receiveNothing();
}

/** A durable subscription gets what came while it was away, until it is deleted. */
async function durable_subscription(peer) {
  const name = `${peer.prefix}-desk`;
  const durable = { 'activemq.subscriptionName': name };
  const persistent = { persistent: 'true' };
  const come = () => peer.connect({ connectHeaders: { 'client-id': name } });
  const producer = await peer.connect();
  let reader = await come();
  await reader.subscribe(peer.topic(), durable);
  await producer.send(peer.topic(), 'there', persistent);
  await reader.receive('there');
  await reader.close();

  await producer.send(peer.topic(), 'away 1', persistent);
  await producer.send(peer.topic(), 'away 2', persistent);
  reader = await come();
  await reader.subscribe(peer.topic(), durable);
  await reader.receive('away 1', 'away 2');
  await reader.unsubscribe();
  await reader.unsubscribe(durable);

  await producer.send(peer.topic(), 'deleted', persistent);
  await reader.subscribe(peer.topic(), durable);
  await producer.send(peer.topic(), 'new', persistent);
  await reader.receive('new');
}

/** What was delivered in `auto` mode does not come back. */
async function ack_auto(peer) {
  const first = await peer.connect();
  await first.subscribe(peer.queue());
  await first.send(peer.queue(), 'once');
  await first.receive('once');
  await first.settle();
  first.drop();
  const second = await peer.connect();
  await second.send(peer.queue(), 'next');
  await second.subscribe(peer.queue());
  await second.receive('next');
}

/** An ACK in `client` mode covers what was delivered before it. */
async function ack_client(peer) {
  await ackSecondOfThree(peer, 'client');
  const heir = await peer.connect();
  await heir.subscribe(peer.queue());
  await heir.receive('3');
  await heir.receiveNothing();
}

/** An ACK in `client-individual` mode covers one message. */
async function ack_individual(peer) {
  await ackSecondOfThree(peer, 'client-individual');
  const heir = await peer.connect();
  await heir.subscribe(peer.queue());
  await heir.receive('1', '3');
  await heir.receiveNothing();
}

async function ackSecondOfThree(peer, ack) {
  const client = await peer.connect();
  await client.subscribe(peer.queue(), { ack });
  for (const body of '123') {
    await client.send(peer.queue(), body);
  }
  const [, second] = await client.receive(...'123');
  await client.ack(second);
  client.drop();
}

/** What a lost consumer had not acknowledged goes to another, marked. */
async function redelivery(peer) {
  const first = await peer.connect();
  await first.subscribe(peer.queue(), INDIVIDUAL);
  await first.send(peer.queue(), 'again');
  const [fresh] = await first.receive('again');
  expect(fresh.headers.redelivered ?? 'false', 'false', 'redelivered at first');
  first.drop();
  const second = await peer.connect();
  await second.subscribe(peer.queue(), INDIVIDUAL);
  const [frame] = await second.receive('again');
  expect(frame.headers.redelivered, 'true', 'redelivered');
  await second.ack(frame);
}

/** Nothing of a transaction is seen before its COMMIT, everything after it. */
async function transaction_commit(peer) {
  const reader = await peer.connect();
  await reader.subscribe(peer.queue('a'), { id: 'a' });
  await reader.subscribe(peer.queue('b'), { id: 'b' });
  const writer = await peer.connect();
  const transaction = writer.stomp.begin('t');
  await writer.send(peer.queue('a'), '1', { transaction: 't' });
  await writer.send(peer.queue('b'), '2', { transaction: 't' });
  await writer.settle();
  await reader.receiveNothing();
  transaction.commit();
  await writer.settle();
  const frames = [await reader.take('message'), await reader.take('message')];
  expect(frames.map(({ body }) => body).sort(), ['1', '2'], 'messages of the transaction');
}

/** Nothing of an aborted transaction is ever seen. */
async function transaction_abort(peer) {
  const client = await peer.connect();
  await client.subscribe(peer.queue('a'), { id: 'a' });
  await client.subscribe(peer.queue('b'), { id: 'b' });
  const transaction = client.stomp.begin('t');
  await client.send(peer.queue('a'), '1', { transaction: 't' });
  await client.send(peer.queue('b'), '2', { transaction: 't' });
  transaction.abort();
  await client.send(peer.queue('a'), '3');
  await client.receive('3');
  await client.receiveNothing();
}

/** An ACK in a transaction counts when the transaction is committed. */
async function transaction_acks(peer) {
  for (const [end, comesBack] of [['abort', ['1', '2']], ['commit', ['2']]]) {
    const queue = peer.queue(end);
    const first = await peer.connect();
    await first.subscribe(queue, INDIVIDUAL);
    await first.send(queue, '1');
    await first.send(queue, '2');
    const [frame] = await first.receive('1', '2');
    const transaction = first.stomp.begin('t');
    await first.ack(frame, { transaction: 't' });
    transaction[end]();
    await first.settle();
    first.drop();
    const second = await peer.connect();
    await second.subscribe(queue);
    await second.receive(...comesBack);
    await second.receiveNothing();
  }
}

/** A refused message goes to the dead letters and says where it came from and why. */
async function nack_dead_letters(peer) {
  const client = await peer.connect();
  await client.subscribe(peer.queue(), { id: 'work', ...INDIVIDUAL });
  await client.subscribe(peer.deadLetterQueue(peer.queue()), { id: 'dead' });
  await client.send(peer.queue(), 'bad', { persistent: 'true', colour: 'red' });
  const [frame] = await client.receive('bad');
  await client.nack(frame);
  const [dead] = await client.receive('bad');
  expect(dead.headers.subscription, 'dead', 'subscription');
  expect(dead.headers.colour, 'red', 'header of the sender');
  expect(dead.headers['original-destination'], peer.queue(), 'original-destination');
  expect(Boolean(dead.headers[DIALECT.deadLetterReason]), true, 'has a reason');
}

/** A message refused with `requeue:true` comes back. */
async function nack_requeue(peer) {
  const client = await peer.connect();
  await client.subscribe(peer.queue(), INDIVIDUAL);
  await client.send(peer.queue(), 'later');
  const [refused] = await client.receive('later');
  await client.nack(refused, { requeue: 'true' });
  const [frame] = await client.receive('later');
  expect(frame.headers.redelivered, 'true', 'redelivered');
  await client.ack(frame);
  await client.receiveNothing();
}

/** Browsing shows what is there, in order, says where it ends, and takes nothing. */
async function browse(peer) {
  const client = await peer.connect();
  for (const body of '12345') {
    await client.send(peer.queue(), body);
  }
  const browser = await peer.connect();
  await browser.subscribe(peer.queue(), { browser: 'true' });
  await browser.receive(...'12345');
  const end = await browser.take('message');
  expect(end.headers.browser, 'end', 'browser');
  await client.subscribe(peer.queue());
  await client.receive(...'12345');
}

/** A selector compares header strings with numbers and with text. */
async function selectors(peer) {
  const picky = await peer.connect();
  await picky.subscribe(peer.queue(), { selector: "n > 5 AND colour = 'red'" });
  const producer = await peer.connect();
  for (const n of ['3', '5', '6', '10']) {
    for (const colour of ['red', 'blue']) {
      await producer.send(peer.queue(), `${n} ${colour}`, { n, colour });
    }
  }
  await picky.receive('6 red', '10 red');
  await picky.receiveNothing();
  const rest = await peer.connect();
  await rest.subscribe(peer.queue());
  await rest.receive('3 red', '3 blue', '5 red', '5 blue', '6 blue', '10 blue');
}

/** Both sides beat, and neither gives the other up. */
async function heart_beats(peer) {
  const client = await peer.connect({
    heartbeatIncoming: 400,
    heartbeatOutgoing: 400,
    heartbeatToleranceMultiplier: 5,
  });
  for (let beats = 0; beats < 5; beats += 1) {
    await client.take('heartbeat');
  }
  await client.settle();
}

/** Every frame that asks for a receipt gets its own. */
async function receipts(peer) {
  const client = await peer.connect();
  await client.subscribe(peer.queue(), INDIVIDUAL);
  await client.send(peer.queue(), '1');
  await client.send(peer.queue(), '2');
  const [first, second] = await client.receive('1', '2');
  await client.ack(first);
  if (peer.version !== '1.0') {
    await client.nack(second);
  }
  await client.unsubscribe();
  await client.close();
}

/** An expired message is never delivered; one that has time left is. */
async function expiry(peer) {
  const client = await peer.connect();
  await client.send(peer.queue(), 'too late', { expires: '1' });
  await client.send(peer.queue(), 'in time', { expires: '4102444800000' });
  await client.subscribe(peer.queue());
  await client.receive('in time');
  await client.receiveNothing();
}

/** From a backlog the urgent comes first, and equals in the order sent. */
async function priority(peer) {
  const client = await peer.connect();
  for (const [body, level] of [['a', 1], ['b', 9], ['c', 4], ['d', 9], ['e', 1]]) {
    await client.send(peer.queue(), body, { priority: String(level), persistent: 'true' });
  }
  await client.subscribe(peer.queue());
  await client.receive(...'bdcae');
}

/** The client's own reconnecting finds the server again and works on. */
async function reconnect(peer) {
  const client = await peer.connect({ reconnectDelay: RECONNECT_MS });
  await client.subscribe(peer.queue());
  await peer.tell('restart');
  await client.reconnected();
  await client.subscribe(peer.queue());
  await client.send(peer.queue(), 'back');
  await client.receive('back');
}

/** A mistake is answered by an ERROR with a code and a text that says what to do. */
async function errors(peer) {
  const settled = (act) => async (client) => {
    act(client.stomp);
    await client.settle();
  };
  await expectError(peer, (client) => client.send('/nowhere/x', 'x'));
  await expectError(peer, (client) => client.subscribe('/queue/'));
  await expectError(peer, settled((stomp) => stomp.commit('unknown')));
  await expectError(peer, settled((stomp) => stomp.abort('unknown')));
  await expectError(peer, settled((stomp) => stomp.ack('unknown', '1')));
  const lost = { transaction: 'unknown' };
  await expectError(peer, (client) => client.send(peer.queue(), 'x', lost));
}

/** A subscription id that is in use is answered by an ERROR. */
async function error_of_a_second_subscription(peer) {
  await expectError(peer, async (client) => {
    await client.subscribe(peer.queue(), { id: 'same' });
    await client.subscribe(peer.queue('other'), { id: 'same' });
  });
}

/** Expects `act` on a fresh connection to be answered by an ERROR that helps. */
async function expectError(peer, act) {
  const client = await peer.connect();
  const frame = await act(client).then(
    () => { throw new Failure(`no ERROR for a mistake: ${act}`); },
    (error) => errorFrame(error),
  );
  expect(DIALECT.errorCode.test(frame.headers.message), true, `code in ${frame.headers.message}`);
  expect(frame.body.length > 0, true, 'a body that says what to do');
}

function errorFrame(error) {
  if (error instanceof ErrorFrame) {
    return error.frame;
  }
  throw error;
}

const SCENARIOS = new Map([
  [bodies, ALL],
  [headers, ALL],
  [competing_consumers, ALL],
  [topic_fan_out, ALL],
  [topic_wildcards, ALL],
  [durable_subscription, ALL],
  [ack_auto, ALL],
  [ack_client, ALL],
  [ack_individual, ALL],
  [redelivery, ALL],
  [transaction_commit, ALL],
  [transaction_abort, ALL],
  [transaction_acks, ALL],
  [nack_dead_letters, SINCE_1_1],
  [nack_requeue, SINCE_1_1],
  [browse, SINCE_1_1],
  [selectors, ALL],
  [heart_beats, SINCE_1_1],
  [receipts, ALL],
  [expiry, ALL],
  [priority, ALL],
  [reconnect, ALL],
  [errors, ALL],
  [error_of_a_second_subscription, SINCE_1_1],
  [persistence_of_messages, ALL],
  [persistence_of_a_durable_subscription, ALL],
  [persistence_of_transactions, ALL],
]);

/** Plays one scenario in every version it concerns; the exit code. */
async function main(host, port, name) {
  const found = [...SCENARIOS].find(([scenario]) => scenario.name === name);
  if (found === undefined) {
    console.log(`there is no scenario ${name}`);
    return 1;
  }
  const [scenario, versions] = found;
  for (const version of versions) {
    const peer = new Peer(host, Number(port), version, name.replaceAll('_', '-'));
    try {
      await scenario(peer);
    } catch (error) {
      console.log(`${name} over STOMP ${version} failed:`, error);
      return 1;
    } finally {
      peer.close();
    }
  }
  return 0;
}

// What a failed scenario left open must not keep the process.
process.exit(await main(...process.argv.slice(2)));
