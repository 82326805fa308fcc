/**
 * What the scenarios share: a server seen through one protocol version, and clients of it.
 *
 * stompjs answers by callbacks. The harness keeps every frame until a scenario takes it, so that
 * a scenario reads from top to bottom: do something, then take what must come. Every wait has a
 * deadline, and an ERROR or a lost connection ends any wait at once.
 *
 * The client library is looked up from the working directory, where it was installed.
 */

import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { inspect, isDeepStrictEqual } from 'node:util';

const require = createRequire(`${process.cwd()}/`);
const { Client: StompClient, Versions } = require('@stomp/stompjs');
const { TCPWrapper } = require('@stomp/tcp-wrapper');

const DEADLINE_MS = 15_000;
/** How soon a client of stompjs tries again, in a scenario that wants it to. */
export const RECONNECT_MS = 100;

/** Where a broker differs by design. A broker of another make is tried by changing these. */
export const DIALECT = {
  deadLetterPrefix: '/queue/DLQ.',
  deadLetterReason: 'dead-letter-reason',
  errorCode: /PH\d{4}/,
};

/** What the server did differently from what the scenario expects. */
export class Failure extends Error {}

/** An ERROR that came while something else was awaited. */
export class ErrorFrame extends Failure {
  constructor(frame, awaited) {
    super(`an ERROR in place of a ${awaited}: ${inspect(frame.headers)} ${frame.body}`);
    this.frame = frame;
  }
}

/** Fails unless both are equal; `what` says what was compared. */
export function expect(found, expected, what) {
  if (!isDeepStrictEqual(found, expected)) {
    throw new Failure(`${what}: expected ${inspect(expected)}, found ${inspect(found)}`);
  }
}

const answers = createInterface({ input: process.stdin });

/** The server under test for one scenario and one protocol version. */
export class Peer {
  #clients = [];

  constructor(host, port, version, scenario) {
    this.host = host;
    this.port = port;
    this.version = version;
    this.prefix = `js-${scenario}-v${version.replace('.', '')}`;
  }

  /** A queue that no other scenario or version uses. */
  queue(name = 'work') {
    return `/queue/${this.prefix}-${name}`;
  }

  /** A topic that no other scenario or version uses. */
  topic(name = 'news') {
    return `/topic/${this.prefix}-${name}`;
  }

  /** Where the dead letters of `queue` go. */
  deadLetterQueue(queue) {
    return DIALECT.deadLetterPrefix + queue.replace('/queue/', '');
  }

  /** A connected client. `options` are those of stompjs. */
  async connect(options = {}) {
    const client = new Client(this, options);
    this.#clients.push(client);
    client.stomp.activate();
    const { headers } = await client.take('connected');
    // A server may leave the version out of its answer to a 1.0 client.
    expect(headers.version ?? '1.0', this.version, 'version in CONNECTED');
    return client;
  }

  /** Asks whoever runs this script to `restart` or `kill` the server, until it is back. */
  async tell(request) {
    console.log(`@${request}`);
    const [answer] = await once(answers, 'line');
    expect(answer, 'ready', `answer to @${request}`);
  }

  /** Ends what the scenario left open. */
  close() {
    this.#clients.forEach((client) => client.drop());
  }
}

/** One connection, its frames handed over one by one. */
class Client {
  #events = [];
  #wake = () => {};
  #receipts = 0;

  constructor(peer, options) {
    this.peer = peer;
    this.stomp = new StompClient({
      webSocketFactory: () => new TCPWrapper(peer.host, peer.port),
      stompVersions: new Versions([peer.version]),
      reconnectDelay: 0,
      heartbeatIncoming: 0,
      heartbeatOutgoing: 0,
      onConnect: (frame) => this.#put('connected', frame),
      onStompError: (frame) => this.#put('error', frame),
      onUnhandledReceipt: (frame) => this.#put('receipt', frame),
      onHeartbeatReceived: () => this.#put('heartbeat', null),
      onWebSocketClose: () => this.#put('closed', null),
      ...options,
    });
  }

  #put(kind, frame) {
    this.#events.push({ kind, frame });
    this.#wake();
  }

  /** The next frame of `kind`; others are kept for later, save those of `ends`. */
  async take(kind, ends = ['error', 'closed']) {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const wanted = (event) => event.kind === kind || ends.includes(event.kind);
      const index = this.#events.findIndex(wanted);
      if (index >= 0) {
        const [event] = this.#events.splice(index, 1);
        return accept(event, kind);
      }
      await this.#change(kind, deadline);
    }
  }

  #change(kind, deadline) {
    const { promise, resolve, reject } = withResolvers();
    this.#wake = resolve;
    const late = () => reject(new Failure(`no ${kind} within ${DEADLINE_MS} ms`));
    // The timer of the signal does not keep the process alive; this one does.
    const alive = setInterval(() => {}, DEADLINE_MS);
    deadline.addEventListener('abort', late);
    return promise.finally(() => {
      clearInterval(alive);
      deadline.removeEventListener('abort', late);
    });
  }

  /** Asks for a receipt with a name of its own. */
  receiptHeaders() {
    this.#receipts += 1;
    return { receipt: `receipt-${this.#receipts}` };
  }

  /** Waits for exactly the receipt that `asked` asked for. */
  async takeReceipt(asked) {
    const frame = await this.take('receipt');
    expect(frame.headers['receipt-id'], asked.receipt, 'receipt-id');
  }

  /** Sends and waits for the receipt. `body` is text or bytes. */
  async send(destination, body, headers = {}, options = {}) {
    const asked = this.receiptHeaders();
    const content = typeof body === 'string' ? { body } : { binaryBody: body };
    this.stomp.publish({ destination, ...content, headers: { ...headers, ...asked }, ...options });
    await this.takeReceipt(asked);
  }

  /** Subscribes and waits for the receipt, so that what is sent next cannot be missed. */
  async subscribe(destination, headers = {}) {
    const asked = this.receiptHeaders();
    const keep = (frame) => this.#put('message', frame);
    this.stomp.subscribe(destination, keep, { id: '1', ...headers, ...asked });
    await this.takeReceipt(asked);
  }

  /** Unsubscribes and waits for the receipt. */
  async unsubscribe(headers = {}) {
    const asked = this.receiptHeaders();
    this.stomp.unsubscribe('1', { ...headers, ...asked });
    await this.takeReceipt(asked);
  }

  /** Takes as many messages as there are `bodies`, which they must have in this order. */
  async receive(...bodies) {
    const frames = [];
    while (frames.length < bodies.length) {
      frames.push(await this.take('message'));
    }
    expect(frames.map((frame) => frame.body), bodies, 'bodies received');
    return frames;
  }

  /** Fails when a message has come by the time that the server has answered once more. */
  async receiveNothing() {
    await this.settle();
    const waiting = this.#events.filter(({ kind }) => kind === 'message');
    expect(waiting.map(({ frame }) => frame.body), [], 'messages that should not have come');
  }

  /** Waits until the server has handled everything that this client sent. */
  async settle() {
    await this.send('/topic/nobody-listens', 'settle');
  }

  /** Acknowledges a message and waits for the receipt. */
  async ack(frame, headers = {}) {
    const asked = this.receiptHeaders();
    frame.ack({ ...headers, ...asked });
    await this.takeReceipt(asked);
  }

  /** Refuses a message and waits for the receipt. */
  async nack(frame, headers = {}) {
    const asked = this.receiptHeaders();
    frame.nack({ ...headers, ...asked });
    await this.takeReceipt(asked);
  }

  /** Leaves politely: DISCONNECT, then its receipt. */
  async close() {
    await this.stomp.deactivate();
  }

  /** Waits until the client has lost its connection and has found the server again. */
  async reconnected() {
    await this.take('closed');
    // While the server is away, every attempt ends with a closed connection.
    await this.take('connected', ['error']);
    this.#events = this.#events.filter(({ kind }) => kind !== 'closed');
  }

  /** Goes away without a word, as a crash would. */
  drop() {
    this.stomp.deactivate({ force: true });
  }
}

function accept({ kind, frame }, awaited) {
  if (kind === awaited) {
    return frame;
  }
  if (kind === 'error') {
    throw new ErrorFrame(frame, awaited);
  }
  throw new Failure(`the connection was closed in place of a ${awaited}`);
}

/** The parts of a promise; the language has this itself only in later versions. */
function withResolvers() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

