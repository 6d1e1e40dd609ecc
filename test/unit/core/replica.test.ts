/** The conductor: batches, epochs, the disk's answers. Inputs in, effects out, no world around it. */

import { OpCode } from '../../../protocol/client/constants.js';
import { writeConnectRequest } from '../../../protocol/client/packets.js';
import { RequestHeader, SetDataRequest } from '../../../protocol/client/records.js';
import { epochOf, makeZxid } from '../../../protocol/ids.js';
import { JuteWriter } from '../../../protocol/jute/writer.js';
import { decodeBatch } from '../../../protocol/peer/codec.js';
import type { Effect, ReplicaOptions } from '../../../src/core/io.js';
import { limits } from '../../../src/core/limits.js';
import { Connection } from '../../../src/core/pipeline/connections.js';
import { Replica } from '../../../src/core/replica.js';
import { AssertionFailure } from '../../../src/std/assert.js';
import { DEFAULT_ENSEMBLE_OPTIONS, DEFAULT_REPLICA_OPTIONS } from '../../../src/testing/index.js';

type Of<T extends Effect['type']> = Extract<Effect, { type: T }>;

class Fixture {
  readonly replica: Replica;
  private connections = 0;

  constructor(options: Partial<ReplicaOptions> = {}) {
    this.replica = new Replica({ ...DEFAULT_REPLICA_OPTIONS, ...options });
    this.replica.handle({ type: 'clock', wallMs: 1_750_000_000_000, monotonicMs: 0 });
  }

  /** Started, with its epoch on disk. */
  serving(acceptedEpoch = 0): this {
    this.replica.start({ acceptedEpoch, currentEpoch: acceptedEpoch });
    this.storeEpochs();
    this.storeEpochs();
    this.effects();
    return this;
  }

  /** The turn ends and the disk has the epochs. Returns what it was asked for. */
  storeEpochs(): Omit<Of<'storeEpochs'>, 'type'>[] {
    const asked = this.only('storeEpochs').map(({ acceptedEpoch, currentEpoch }) => ({ acceptedEpoch, currentEpoch }));
    for (const epochs of asked) this.replica.handle({ type: 'epochsStored', ...epochs });
    return asked;
  }

  effects(): readonly Effect[] {
    this.replica.handle({ type: 'turnEnd' });
    return this.replica.takeEffects();
  }

  only<T extends Effect['type']>(type: T, effects = this.effects()): Of<T>[] {
    return effects.filter((effect): effect is Of<T> => effect.type === type);
  }

  /** A client asks for a session: the simplest write there is. */
  knock(session: { sessionId: bigint; password: Uint8Array } | null = null): Connection {
    const connection = new Connection(++this.connections, '127.0.0.1', 1, 0);
    this.replica.handle({ type: 'connected', connection, entropy: new Uint8Array(16).fill(this.connections) });
    const writer = new JuteWriter();
    const start = writer.beginFrame();
    writeConnectRequest(writer, {
      protocolVersion: 0,
      lastZxidSeen: 0n,
      timeoutMs: 1000,
      sessionId: session?.sessionId ?? 0n,
      password: session?.password ?? null,
      readOnly: false,
    });
    writer.endFrame(start);
    this.replica.handle({ type: 'frames', connection, bytes: writer.bytes, start: 0, end: writer.position });
    return connection;
  }

  /** A client whose session is open. */
  client(): Connection {
    const connection = this.knock();
    this.store();
    return connection;
  }

  setRoot(connection: Connection): void {
    const writer = new JuteWriter();
    const start = writer.beginFrame();
    RequestHeader.write(writer, { xid: 1, type: OpCode.setData });
    SetDataRequest.write(writer, { path: '/', data: null, version: -1 });
    writer.endFrame(start);
    this.replica.handle({ type: 'frames', connection, bytes: writer.bytes, start: 0, end: writer.position });
  }

  /** The turn ends and the disk is done with everything. */
  store(): void {
    const last = this.only('append').at(-1);
    if (last !== undefined) this.replica.handle({ type: 'stored', zxid: last.lastZxid });
    this.effects();
  }

  tick(monotonicMs: number): void {
    this.replica.handle({ type: 'clock', wallMs: 1_750_000_000_000 + monotonicMs, monotonicMs });
    this.replica.handle({ type: 'tick' });
  }
}

test('it serves once its new epoch is on disk, and not before (E79)', () => {
  const one = new Fixture();
  one.replica.start({ acceptedEpoch: 4, currentEpoch: 4 });
  expect(one.storeEpochs()).toEqual([{ acceptedEpoch: 5, currentEpoch: 4 }]);
  expect(one.replica.isServing).toBe(false);
  expect(one.storeEpochs()).toEqual([{ acceptedEpoch: 5, currentEpoch: 5 }]);
  expect(one.only('serving')).toEqual([{ type: 'serving', epoch: 5 }]);
  one.knock();
  expect(one.only('append')[0].firstZxid).toBe(makeZxid(5, 1));
});

test('what comes in one turn is one batch; a client is answered when it is stored, not before', () => {
  const one = new Fixture().serving();
  const clients = [one.knock(), one.knock(), one.knock()];
  const effects = one.effects();
  expect(effects.map(({ type }) => type)).toEqual(['append']);
  const [append] = one.only('append', effects);
  expect(decodeBatch(append.bytes)).toMatchObject({ firstZxid: append.firstZxid, operations: [-10, -10, -10] });
  expect(append.lastZxid).toBe(append.firstZxid + 2);
  one.replica.handle({ type: 'stored', zxid: append.lastZxid });
  expect(one.only('flush').map(({ connection }) => connection)).toEqual(clients);
  expect(clients.map(({ state }) => state)).toEqual(['open', 'open', 'open']);
});

test('only so many batches are in flight; what comes meanwhile goes together', () => {
  const one = new Fixture().serving();
  const appended: Of<'append'>[] = [];
  for (let i = 0; i < limits.batchesInFlightMax + 5; i++) {
    one.knock();
    appended.push(...one.only('append'));
  }
  expect(appended).toHaveLength(limits.batchesInFlightMax);
  one.replica.handle({ type: 'stored', zxid: appended[0].lastZxid });
  const [next] = one.only('append');
  expect(next.lastZxid - next.firstZxid + 1).toBe(5);
});

test('stored is cumulative: one report commits all batches up to it', () => {
  const one = new Fixture().serving();
  one.knock();
  one.effects();
  one.knock();
  const [second] = one.only('append');
  one.replica.handle({ type: 'stored', zxid: second.lastZxid });
  expect(one.replica.appliedZxid).toBe(second.lastZxid);
  expect(one.replica.world.sessions.size).toBe(2);
});

test('an epoch that is used up: what waits goes into the next, once that is on disk (E90)', () => {
  const one = new Fixture({ ensemble: { ...DEFAULT_ENSEMBLE_OPTIONS, epochEntriesMax: 2 } }).serving();
  one.knock();
  one.knock();
  const [last] = one.only('append');
  one.knock();
  expect(one.effects()).toEqual([]);
  // It knows already which zxid the waiting entry will get.
  expect(one.replica.proposedZxid).toBe(makeZxid(2, 1));
  one.replica.handle({ type: 'stored', zxid: last.lastZxid });
  expect(one.storeEpochs()).toEqual([{ acceptedEpoch: 2, currentEpoch: 1 }]);
  one.knock();
  expect(one.only('append')).toEqual([]);
  expect(one.replica.proposedZxid).toBe(makeZxid(2, 2));
  one.replica.handle({ type: 'epochsStored', acceptedEpoch: 2, currentEpoch: 2 });
  const [first] = one.only('append');
  expect([first.firstZxid, first.lastZxid]).toEqual([makeZxid(2, 1), makeZxid(2, 2)]);
});

test('a full disk: what it did not take is given up, its zxids are used again, and reads go on', () => {
  const one = new Fixture().serving();
  const served = one.knock();
  const [kept] = one.only('append');
  one.replica.handle({ type: 'stored', zxid: kept.lastZxid });
  one.effects();
  const refused = [one.knock(), one.knock()];
  const [lost] = one.only('append');
  refused.push(one.knock());
  one.replica.handle({ type: 'storeFailed', firstLostZxid: lost.firstZxid, reason: 'full' });
  expect(refused.map(({ state }) => state)).toEqual(['closing', 'closing', 'closing']);
  expect([one.replica.role, one.replica.isServing, one.replica.isWritable]).toEqual(['stalled', true, false]);
  expect(one.replica.proposedZxid).toBe(kept.lastZxid);
  expect(served.state).toBe('open');
  expect(one.knock().state).toBe('closing');
  one.replica.handle({ type: 'storeResumed' });
  one.effects();
  one.knock();
  expect(one.only('append')[0].firstZxid).toBe(lost.firstZxid);
});

test('a full disk takes nothing of an epoch: who waits for it waits for the state as it is', () => {
  const before = new Fixture().serving();
  const gone = before.knock();
  const [kept] = before.only('append');
  const one = new Fixture();
  one.replica.recoverBatch(decodeBatch(kept.bytes), kept.bytes);
  one.serving(1);
  one.knock();
  const [lost] = one.only('append');
  const resumed = one.knock({ sessionId: BigInt(gone.session), password: gone.password });
  expect(resumed.state).toBe('opening');
  one.replica.handle({ type: 'storeFailed', firstLostZxid: lost.firstZxid, reason: 'full' });
  expect(resumed.state).toBe('open');
});

test('whom the server does not read because it is busy cannot expire meanwhile (E17)', () => {
  const one = new Fixture({ outstandingMax: 4, tickTimeMs: 100 }).serving();
  const [sending, resuming, silent] = [one.client(), one.client(), one.client()];
  one.replica.handle({ type: 'disconnected', connection: resuming });
  for (let i = 0; i < 5; i++) one.setRoot(sending);
  const [slow] = one.only('append');
  one.knock({ sessionId: BigInt(resuming.session), password: resuming.password });
  for (let nowMs = 0; nowMs <= 5000; nowMs += 500) one.tick(nowMs);
  const [expired] = one.only('append');
  expect(decodeBatch(expired.bytes)).toMatchObject({ operations: [OpCode.closeSession], sessions: [silent.session] });
  one.replica.handle({ type: 'stored', zxid: slow.lastZxid });
  one.tick(5900);
  expect(one.only('append')).toEqual([]);
  for (let nowMs = 6000; nowMs <= 7000; nowMs += 500) one.tick(nowMs);
  const [later] = one.only('append');
  expect(decodeBatch(later.bytes).sessions).toEqual([sending.session, resuming.session]);
});

test('a session that cannot be created is not opened', () => {
  const one = new Fixture({ minSessionTimeoutMs: 0, maxSessionTimeoutMs: 0 }).serving();
  expect(one.client().state).toBe('closing');
});

test('ids of sessions rise even when the clock goes back and the server restarts', () => {
  const one = new Fixture().serving();
  const first = one.replica.nextSessionId();
  one.replica.handle({ type: 'clock', wallMs: 1_700_000_000_000, monotonicMs: 1 });
  expect(one.replica.nextSessionId()).toBeGreaterThan(first);
});

test('recovery executes the log in order and refuses it afterwards', () => {
  const source = new Fixture().serving();
  const appended: Of<'append'>[] = [];
  for (let i = 0; i < 3; i++) {
    source.knock();
    appended.push(...source.only('append'));
    source.replica.handle({ type: 'stored', zxid: appended[i].lastZxid });
  }
  const twin = new Fixture();
  for (const { bytes } of appended) twin.replica.recoverBatch(decodeBatch(bytes), bytes);
  expect(twin.replica.appliedZxid).toBe(source.replica.appliedZxid);
  expect(twin.replica.world.sessions.encode()).toEqual(source.replica.world.sessions.encode());
  twin.serving(1);
  expect(epochOf(twin.replica.appliedZxid)).toBe(1);
  expect(() => twin.replica.recoverBatch(decodeBatch(appended[0].bytes), appended[0].bytes)).toThrow(AssertionFailure);
});
