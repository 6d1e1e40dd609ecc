/** The road from a learner's clients to the leader and back, message by message (E4, E16, E19, E70). */
import { OpCode } from '../../../protocol/client/constants.js';
import { JuteWriter } from '../../../protocol/jute/writer.js';
import { decodeBatch, encodeBatch } from '../../../protocol/peer/codec.js';
import { BatchBuilder } from '../../../protocol/peer/entries.js';
import type { PeerMessage } from '../../../protocol/peer/messages.js';
import { limits } from '../../../src/core/limits.js';
import { emptyWorld } from '../../../src/core/loading.js';
import { Relay, type Station, type SyncBarrier } from '../../../src/core/relay.js';
import { SessionExpiry } from '../../../src/core/sessions/expiry.js';

const TICK_MS = 100;
const SESSION = 7;
const TIMEOUT_MS = 1000;

/** Server 1, which leads, or follows server 3. What it is asked for is written down. */
class TestStation implements Station {
  readonly options = { serverId: 1, tickTimeMs: TICK_MS };
  readonly world = emptyWorld(0);
  readonly expiry = new SessionExpiry(TICK_MS);
  monotonicMs = 0;
  proposedZxid = 100;
  readonly leaderId: number;
  readonly sent: { to: number; message: PeerMessage }[] = [];
  readonly lines: string[] = [];
  readonly clients = { memoryIsScarce: false };
  readonly relay: Relay;
  private round = 0;

  constructor(readonly isLeading: boolean) {
    this.leaderId = isLeading ? 1 : 3;
    this.world.sessions.add({ id: SESSION, timeoutMs: TIMEOUT_MS, password: new Uint8Array(16) });
    this.expiry.track(SESSION, 0, TIMEOUT_MS);
    this.relay = new Relay(this);
  }

  readonly outbox = {
    send: ([to]: readonly number[], message: PeerMessage) => this.sent.push({ to, message }),
    resetLink: (peer: number) => this.lines.push(`reset ${peer}`),
  };

  release(
    operation: number,
    session: number,
    cxid: number,
    _: unknown,
    request: Uint8Array,
    start: number,
    end: number,
  ) {
    this.lines.push(`release ${operation} of ${session} #${cxid}: ${[...request.subarray(start, end)].join()}`);
  }
  ping(): number {
    this.lines.push('ping');
    return ++this.round;
  }
  confirm(): void {
    this.lines.push('confirm');
  }
  moved(session: number): void {
    this.lines.push(`moved ${session}`);
  }
  revalidated(session: number, isAlive: boolean, zxid: number): void {
    this.lines.push(`${isAlive ? 'alive' : 'gone'} ${session} at ${zxid}`);
  }
  syncsReady(): void {
    this.lines.push('syncs ready');
  }

  takeSent(): { to: number; message: PeerMessage }[] {
    return this.sent.splice(0);
  }
  take(): string[] {
    return this.lines.splice(0);
  }

  /** Sessions that expire when `nowMs` comes. */
  expiredAt(nowMs: number): readonly number[] {
    return this.expiry.expire(nowMs);
  }
}

/** Writes of clients as a learner forwards them. */
function forwarded(
  ...writes: readonly [operation: number, session: number, cxid: number, byte: number][]
): PeerMessage {
  const builder = new BatchBuilder(0);
  for (const [operation, session, cxid, byte] of writes) {
    builder.add(operation, session, cxid, [], new Uint8Array([byte]), 0, 1);
  }
  return { type: 'forward', batch: encodeBatch(builder.close(1, 0)) };
}

const revalidate = (session: number, timeoutMs = TIMEOUT_MS): PeerMessage => ({
  type: 'revalidate',
  sessions: [session],
  timeoutsMs: [timeoutMs],
});

describe('on a learner', () => {
  test('the writes of a turn go to the leader as one batch, and syncs behind them', () => {
    const station = new TestStation(false);
    const writer = new JuteWriter();
    writer.int(5);
    station.relay.sync({ zxid: Number.POSITIVE_INFINITY }, SESSION);
    for (const cxid of [1, 2]) station.relay.forward(OpCode.setData, SESSION, cxid, [], writer.bytes, 0, 4);
    station.relay.endTurn();
    station.relay.endTurn();
    const [first, second, ...more] = station.takeSent();
    expect([first.to, first.message.type, second, more]).toEqual([
      3,
      'forward',
      { to: 3, message: { type: 'sync', id: 1, sessions: [SESSION] } },
      [],
    ]);
    const { batch } = first.message as { batch: Uint8Array };
    expect(decodeBatch(batch)).toMatchObject({
      operations: [OpCode.setData, OpCode.setData],
      sessions: [SESSION, SESSION],
      cxids: [1, 2],
    });
  });

  test('what is more than a batch holds goes at once', () => {
    const station = new TestStation(false);
    const bytes = new Uint8Array(1);
    for (let i = 0; i < limits.batchEntriesMax; i++) station.relay.forward(OpCode.setData, SESSION, i, [], bytes, 0, 1);
    expect(station.takeSent()).toHaveLength(1);
  });

  test('all sessions that come back in a turn are asked about in one message', () => {
    const station = new TestStation(false);
    station.relay.revalidate(7, 1000);
    station.relay.revalidate(8, 2000);
    station.relay.endTurn();
    station.relay.endTurn();
    expect(station.takeSent()).toEqual([
      { to: 3, message: { type: 'revalidate', sessions: [7, 8], timeoutsMs: [1000, 2000] } },
    ]);
    station.relay.handle(3, { type: 'revalidated', sessions: [7, 8], alive: [true, false], zxid: 120 });
    expect(station.take()).toEqual(['alive 7 at 120', 'gone 8 at 120']);
  });

  test('a column too short is no promise', () => {
    const station = new TestStation(false);
    station.relay.handle(3, { type: 'revalidated', sessions: [7, 8], alive: [true], zxid: 120 });
    expect(station.take()).toEqual(['alive 7 at 120', 'gone 8 at 120']);
  });

  test('an answer to a sync is one to all before it, and to none after it', () => {
    const station = new TestStation(false);
    const barriers: SyncBarrier[] = [1, 2, 3].map(() => ({ zxid: Number.POSITIVE_INFINITY }));
    station.relay.sync(barriers[0], 7);
    station.relay.sync(barriers[1], 7);
    station.relay.endTurn();
    station.relay.sync(barriers[2], 0);
    station.relay.endTurn();
    expect(station.takeSent().map(({ message }) => message)).toEqual([
      { type: 'sync', id: 2, sessions: [7] },
      { type: 'sync', id: 3, sessions: [] },
    ]);
    station.relay.handle(3, { type: 'synced', id: 2, zxid: 110 });
    expect(barriers.map(({ zxid }) => zxid)).toEqual([110, 110, Number.POSITIVE_INFINITY]);
    expect(station.take()).toEqual(['syncs ready']);
  });

  test('only its leader is believed', () => {
    const station = new TestStation(false);
    station.relay.handle(2, { type: 'moved', session: SESSION });
    station.relay.handle(2, { type: 'revalidated', sessions: [SESSION], alive: [true], zxid: 1 });
    expect(station.take()).toEqual([]);
    station.relay.handle(3, { type: 'moved', session: SESSION });
    expect(station.take()).toEqual([`moved ${SESSION}`]);
  });

  test('with the term everything that was not sent is void', () => {
    const station = new TestStation(false);
    const barrier = { zxid: Number.POSITIVE_INFINITY };
    station.relay.sync(barrier, 7);
    station.relay.revalidate(7, 1000);
    station.relay.forward(OpCode.setData, SESSION, 1, [], new Uint8Array(1), 0, 1);
    station.relay.reset();
    station.relay.endTurn();
    expect(station.takeSent()).toEqual([]);
    station.relay.handle(3, { type: 'synced', id: 1, zxid: 110 });
    expect(barrier.zxid).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('on the leader: writes', () => {
  test('of a session take their place in order, when the session is that learner’s', () => {
    const { relay, ...station } = new TestStation(true);
    relay.handle(2, revalidate(SESSION));
    station.lines.length = 0;
    relay.handle(2, forwarded([OpCode.setData, SESSION, 1, 11], [OpCode.create, SESSION, 2, 22]));
    expect(station.lines).toEqual([`release ${OpCode.setData} of 7 #1: 11`, `release ${OpCode.create} of 7 #2: 22`]);
  });

  test('of a session that is another server’s by now are refused, with a word to the sender (E19)', () => {
    const station = new TestStation(true);
    station.relay.handle(2, revalidate(SESSION));
    station.relay.handle(3, revalidate(SESSION));
    station.takeSent();
    station.relay.handle(2, forwarded([OpCode.setData, SESSION, 1, 11]));
    expect(station.take()).toEqual([]);
    expect(station.takeSent()).toEqual([{ to: 2, message: { type: 'moved', session: SESSION } }]);
  });

  test('of a session that nobody carries are refused as well', () => {
    const station = new TestStation(true);
    station.relay.handle(2, forwarded([OpCode.setData, 99, 1, 11]));
    expect(station.take()).toEqual([]);
    expect(station.takeSent()).toEqual([{ to: 2, message: { type: 'moved', session: 99 } }]);
  });

  test('a new session is the sender’s', () => {
    const station = new TestStation(true);
    station.relay.handle(2, forwarded([OpCode.createSession, 8, 0, 1], [OpCode.create, 8, 1, 2]));
    expect(station.take()).toEqual([
      `release ${OpCode.createSession} of 8 #0: 1`,
      `release ${OpCode.create} of 8 #1: 2`,
    ]);
    expect(station.relay.hasOwner(8)).toBe(true);
    station.relay.forget(8);
    expect(station.relay.hasOwner(8)).toBe(false);
  });

  test('the end of a session is on its way from then on: nothing revives it', () => {
    const station = new TestStation(true);
    station.relay.handle(2, revalidate(SESSION));
    station.relay.handle(2, forwarded([OpCode.closeSession, SESSION, 1, 1]));
    expect(station.expiry.isClosing(SESSION)).toBe(true);
    station.takeSent();
    station.relay.handle(3, revalidate(SESSION));
    expect(station.takeSent()).toMatchObject([{ message: { type: 'revalidated', alive: [false] } }]);
  });

  test('an operation that is no write ends the link', () => {
    const station = new TestStation(true);
    station.relay.handle(2, revalidate(SESSION));
    station.relay.handle(2, forwarded([OpCode.getData, SESSION, 1, 1], [OpCode.create, SESSION, 2, 2]));
    expect(station.take()).toEqual(['reset 2']);
  });
});

describe('on the leader: sessions that come back', () => {
  test('live or not, with the zxid that the learner must have executed before it answers (E4)', () => {
    const station = new TestStation(true);
    station.relay.handle(2, { type: 'revalidate', sessions: [SESSION, 99], timeoutsMs: [1000, 1000] });
    expect(station.takeSent()).toEqual([
      { to: 2, message: { type: 'revalidated', sessions: [SESSION, 99], alive: [true, false], zxid: 100 } },
    ]);
  });

  test('one that the leader carried itself is closed here', () => {
    const station = new TestStation(true);
    station.relay.own(SESSION);
    station.relay.handle(2, revalidate(SESSION));
    expect(station.take()).toEqual([`moved ${SESSION}`]);
  });

  test('the timeout they come back with holds from now on', () => {
    const station = new TestStation(true);
    station.relay.handle(2, revalidate(SESSION, 5000));
    expect(station.expiredAt(5000)).toEqual([]);
    station.monotonicMs = 5000;
    station.relay.heard(2, [SESSION]);
    expect(station.expiredAt(10_000)).toEqual([]);
    expect(station.expiredAt(10_000 + 2 * TICK_MS)).toEqual([SESSION]);
  });
});

describe('on the leader: who was heard of (E16)', () => {
  test('counts when its own server says so, and not when another does', () => {
    const station = new TestStation(true);
    station.relay.handle(2, revalidate(SESSION));
    station.monotonicMs = 900;
    station.relay.heard(3, [SESSION]);
    expect(station.expiredAt(TIMEOUT_MS + 2 * TICK_MS)).toEqual([SESSION]);
    const other = new TestStation(true);
    other.relay.handle(2, revalidate(SESSION));
    other.monotonicMs = 900;
    other.relay.heard(2, [SESSION, 99]);
    expect(other.expiredAt(TIMEOUT_MS + 2 * TICK_MS)).toEqual([]);
  });

  test('a session elsewhere has a tick more, since reports come late (E17)', () => {
    const station = new TestStation(true);
    expect(station.relay.graceMs(SESSION, TIMEOUT_MS)).toBe(TIMEOUT_MS);
    station.relay.own(SESSION);
    expect(station.relay.graceMs(SESSION, TIMEOUT_MS)).toBe(TIMEOUT_MS);
    station.relay.handle(2, revalidate(SESSION));
    expect(station.relay.graceMs(SESSION, TIMEOUT_MS)).toBe(TIMEOUT_MS + TICK_MS);
  });
});

describe('on the leader: sync', () => {
  test('waits for a round of pings begun after it, and for no earlier one (E70, better)', () => {
    const station = new TestStation(true);
    station.relay.handle(2, { type: 'sync', id: 4, sessions: [] });
    station.relay.confirmed(1);
    expect([station.takeSent(), station.take()]).toEqual([[], []]);
    station.relay.endTurn();
    expect(station.take()).toEqual(['ping', 'confirm']);
    station.proposedZxid = 200; // proposed after the question
    station.relay.confirmed(0);
    expect(station.takeSent()).toEqual([]);
    station.relay.confirmed(1);
    expect(station.takeSent()).toEqual([{ to: 2, message: { type: 'synced', id: 4, zxid: 100 } }]);
    station.relay.confirmed(2);
    expect(station.takeSent()).toEqual([]);
  });

  test('those of one turn share a round; those of the next need another', () => {
    const station = new TestStation(true);
    const barriers: SyncBarrier[] = [1, 2].map(() => ({ zxid: Number.POSITIVE_INFINITY }));
    station.relay.sync(barriers[0], SESSION);
    station.relay.handle(2, { type: 'sync', id: 1, sessions: [] });
    station.relay.endTurn();
    station.relay.sync(barriers[1], SESSION);
    station.relay.endTurn();
    station.relay.endTurn();
    expect(station.take()).toEqual(['ping', 'confirm', 'ping', 'confirm']);
    station.relay.confirmed(1);
    expect(barriers.map(({ zxid }) => zxid)).toEqual([100, Number.POSITIVE_INFINITY]);
    expect([station.takeSent().length, station.take()]).toEqual([1, ['syncs ready']]);
    station.relay.confirmed(2);
    expect(barriers[1].zxid).toBe(100);
  });

  test('who asks is heard of by the leader, since the answer is taken as a proof that the session lives', () => {
    const station = new TestStation(true);
    station.relay.handle(2, revalidate(SESSION));
    station.takeSent();
    station.monotonicMs = 900;
    station.relay.handle(2, { type: 'sync', id: 1, sessions: [SESSION] });
    expect(station.takeSent()).toEqual([]);
    expect(station.expiredAt(900 + TIMEOUT_MS)).toEqual([]);
    expect(station.expiredAt(900 + TIMEOUT_MS + TICK_MS)).toEqual([SESSION]);
  });

  test.each([
    ['is closing', (station: TestStation) => station.expiry.close(SESSION)],
    ['lives on another server', (station: TestStation) => station.relay.own(SESSION)],
  ])('a session that %s has its connection closed before the answer comes', (_what, change) => {
    const station = new TestStation(true);
    station.relay.handle(2, revalidate(SESSION));
    change(station);
    station.takeSent();
    station.relay.handle(2, { type: 'sync', id: 1, sessions: [SESSION] });
    expect(station.takeSent()).toEqual([{ to: 2, message: { type: 'moved', session: SESSION } }]);
  });
});
