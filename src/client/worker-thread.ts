// The worker thread of a client: runs the session with its socket and its heartbeats, and passes requests and replies on
// as bytes, without looking into them. It knows of each watch that somebody waits for it, and not who: enough to set it
// again after a reconnect. The thread ends with the session.

import { parentPort, workerData } from 'node:worker_threads';
import type { JuteReader } from '../../protocol/jute/reader.js';
import { Slice } from '../../protocol/jute/slice.js';
import type { JuteWriter } from '../../protocol/jute/writer.js';
import { assert } from '../std/assert.js';
import { SessionDriver } from './driver.js';
import { ZooKeeperError } from './errors.js';
import { resolveOptions } from './options.js';
import type { Request } from './requests.js';
import type { StateChange } from './states.js';
import { systemSurroundings } from './surroundings.js';
import {
  Conversation,
  type Message,
  type News,
  type Order,
  Record,
  SharedSigns,
  type ThreadSetup,
} from './thread-messages.js';
import {
  EVENT_NUMBERS,
  registeredBy,
  WATCH_KINDS,
  type WatchEvent,
  type WatchKind,
  type WatchRegistration,
} from './watches.js';

/** A request that is passed on as it is, and whose reply is. */
class PassedRequest implements Request {
  readonly method = '';
  readonly path = null;
  xid = 0;
  sentAtMs = 0;
  settled = false;

  constructor(
    readonly id: number,
    readonly code: number,
    readonly isWrite: boolean,
    readonly deadlineMs: number,
    readonly watch: WatchRegistration | undefined,
    readonly body: Slice,
  ) {}

  encode(writer: JuteWriter): void {
    writer.raw(this.body.bytes, this.body.start, this.body.end);
  }

  succeed(body: JuteReader): void {
    onReply(this, body);
  }

  fail(error: unknown): void {
    onFailure(this, error);
  }
}

assert(parentPort !== null, 'this file is the start of a worker thread');
const port = parentPort;
const setup = workerData as ThreadSetup;
const conversation = new Conversation<News, Order>(port);
const signs = new SharedSigns(setup.signs);
const requests = new Map<number, PassedRequest>();
/** Watches that replies have registered of which the client may not know yet, by the number of the message that tells. */
const untold: { readonly messageNumber: number; readonly kind: WatchKind; readonly path: string }[] = [];
/** One for each guard of the client; which is which does not matter. */
const guards: (() => void)[] = [];
let toldZxid = 0n;
let isGapTold = false;

const options = resolveOptions(setup.connectString, setup.options);
const session = new SessionDriver(options, systemSurroundings(options.tls), {
  toClientPath: (path) => path,
  stateChanged: onState,
  notify: (_somebody, event) => onEvent(event),
  dialing: tellDialing,
  turned: () => signs.set(session.session.id, session.sessionSafeUntilMs, session.heardMs),
});

/** Stands for whoever waits for a watch. */
function somebody(): void {}

// --- from the client

port.on('message', (message: Message) => {
  while (untold.length > 0 && untold[0].messageNumber <= message.seen) untold.shift();
  conversation.read(message, onRequest, onOrder);
});
session.start();

function onRequest(_record: number, reader: JuteReader): void {
  const id = reader.int();
  const code = reader.int();
  const isWrite = reader.bool();
  const deadlineMs = reader.longNumber();
  const kind = WATCH_KINDS[reader.int()];
  const watch = kind === undefined ? undefined : { kind, path: reader.ustring() ?? '', watcher: somebody };
  const body = reader.slice() ?? new Slice(new Uint8Array(0));
  const request = new PassedRequest(
    id,
    code,
    isWrite,
    deadlineMs < 0 ? Number.POSITIVE_INFINITY : deadlineMs,
    watch,
    body,
  );
  requests.set(id, request);
  session.submit(request);
}

function onOrder(order: Order): void {
  switch (order.do) {
    case 'giveUp': {
      const request = requests.get(order.id);
      requests.delete(order.id);
      if (request !== undefined) session.giveUp(request, undefined);
      return;
    }
    case 'addWatch':
      session.addWatch({ kind: order.kind, path: order.path, watcher: somebody });
      return;
    case 'forgetWatches':
      for (const kind of order.kinds) {
        const isKnown = !untold.some((watch) => watch.kind === kind && watch.path === order.path);
        if (isKnown) session.removeWatches(order.path, [kind]);
      }
      return;
    case 'addCredential':
      session.addCredential(order.credential, (error) =>
        conversation.note({ say: 'credential', id: order.id, error: error?.toPlain() ?? null }),
      );
      return;
    case 'guard':
      if (order.change === 1) guards.push(session.guardSession());
      else guards.pop()?.();
      return;
    case 'close':
      session.close(order.timeoutMs, order.keepSession);
  }
}

// --- to the client

function onReply(request: PassedRequest, body: JuteReader): void {
  if (!requests.delete(request.id)) return;
  tellZxid();
  noteRegistration(request, 0);
  const { writer } = conversation;
  writer.int(Record.reply);
  writer.int(request.id);
  const frame = writer.beginFrame();
  writer.raw(body.bytes, body.position, body.end);
  writer.endFrame(frame);
  conversation.flushSoon();
}

function onFailure(request: PassedRequest, error: unknown): void {
  if (!requests.delete(request.id)) return;
  assert(error instanceof ZooKeeperError, 'a session fails requests with ZooKeeperError');
  tellZxid();
  noteRegistration(request, error.code);
  conversation.note({ say: 'failed', id: request.id, error: error.toPlain() });
}

function noteRegistration(request: PassedRequest, code: number): void {
  const watch = request.watch === undefined ? undefined : registeredBy(request.watch, code);
  if (watch !== undefined) untold.push({ ...watch, messageNumber: conversation.messageNumber });
}

function tellZxid(): void {
  const { lastZxid } = session;
  if (lastZxid === toldZxid) return;
  toldZxid = lastZxid;
  conversation.writer.int(Record.zxid);
  conversation.writer.long(lastZxid);
}

function onEvent(event: WatchEvent): void {
  if (event.type === 'gap') {
    if (!isGapTold && event.reason !== 'overflow') conversation.note({ say: 'gap', reason: event.reason });
    isGapTold = true;
  } else if (event.type !== 'removed') {
    conversation.writer.int(Record.event);
    conversation.writer.int(EVENT_NUMBERS[event.type]);
    conversation.writer.long(event.zxid);
    conversation.writer.ustring(event.path);
    conversation.flushSoon();
  }
}

function tellDialing(): void {
  conversation.note({ say: 'dialing', host: session.host, lastCause: session.lastCause?.toPlain() });
}

function onState(change: StateChange): void {
  isGapTold = false;
  conversation.note({
    say: 'state',
    change: { ...change, cause: change.cause?.toPlain() },
    session: session.session,
    host: session.host,
    lastCause: session.lastCause?.toPlain(),
    closedBy: session.closedBy?.toPlain(),
  });
  if (change.state === 'CLOSED') port.unref();
}
