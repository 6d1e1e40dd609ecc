/**
 * Watches the servers of a run from inside and writes down what it sees (facts.ts), and tells it as a story when
 * somebody listens. It changes nothing: a run that is watched is the same run.
 */
import { OpCode } from '../../protocol/client/constants.js';
import { epochOf } from '../../protocol/ids.js';
import { decodeBatch } from '../../protocol/peer/codec.js';
import type { PeerMessage } from '../../protocol/peer/messages.js';
import type { Effect, Input } from '../../src/core/io.js';
import type { StoredBatch, VirtualEnsemble, VirtualServer } from '../../src/testing/index.js';
import { Trace } from '../../src/testing/trace.js';
import type { Committed, ExecutedBatch, Facts } from './facts.js';
import { digestText } from './replay.js';
import { zxidText } from './story.js';

export type Tell = (who: string, what: string) => void;

/** Messages worth a line in the story. */
const TOLD: ReadonlySet<string> = new Set(['newEpoch', 'truncate', 'snapshot', 'newLeader', 'upToDate', 'moved']);

const EXPIRED = /^session (0x[0-9a-f]+) has expired$/;

/** What is known of one server. */
class Subject {
  /** Its log as it has asked its disk to write it. */
  log: StoredBatch[] = [];
  appliedZxid = 0;
  /** The full copy that it takes in. */
  copyZxid = 0;
  isCopying = false;
  role = '';
  leadsEpoch = 0;
  servingMs = 0;
  /** As a leader: when it last heard of a session, by itself or from a learner. */
  readonly knownMs = new Map<number, number>();
  /** As a leader: the server that a session's client was heard of from last. What another one still hears is old. */
  readonly carriers = new Map<number, number>();
  /** Connections whose session is not open yet. */
  readonly openings = new Set<{ readonly session: number }>();
  /** As a leader: how long a session had been silent when it was decided that it has expired. */
  readonly silentMs = new Map<number, number>();
  /** When the clients of a session were heard here. */
  readonly heardMs = new Map<number, number[]>();
  /** Batches that were durable here at some time, by their last zxid. */
  readonly stored = new Map<number, string>();
  /** In a turn that hears of a loss: where it begins. */
  lostFrom = Number.POSITIVE_INFINITY;
  private archived = 0;

  constructor(readonly server: VirtualServer) {}

  hasStored(lastZxid: number, hash: string): boolean {
    const { archive, checkpoint } = this.server.disk;
    for (; this.archived < archive.length; this.archived++) {
      const batch = archive[this.archived];
      this.stored.set(batch.lastZxid, hashOf(batch.bytes));
    }
    return this.stored.get(lastZxid) === hash || (checkpoint !== null && checkpoint.zxid >= lastZxid);
  }

  known(session: number, timeMs: number): void {
    if (timeMs > (this.knownMs.get(session) ?? Number.NEGATIVE_INFINITY)) this.knownMs.set(session, timeMs);
  }

  lastHeardMs(session: number, untilMs: number): number {
    const times = this.heardMs.get(session) ?? [];
    for (let i = times.length - 1; i >= 0; i--) if (times[i] <= untilMs) return times[i];
    return Number.NEGATIVE_INFINITY;
  }
}

export class Observer {
  readonly facts: Facts;
  /** Called before each effect is carried out; true: the server is to crash. */
  crashes: (effect: Effect, server: VirtualServer) => boolean = () => false;
  private readonly subjects = new Map<number, Subject>();
  private committedZxid = 0;

  constructor(
    private readonly ensemble: VirtualEnsemble,
    private readonly tell: Tell | null,
  ) {
    this.facts = {
      voters: ensemble.voterIds,
      executions: [],
      leaderships: [],
      logged: [],
      expiries: [],
      recoveries: [],
      divergences: [],
      committed: new Map(),
      counts: new Map(),
    };
    for (const server of ensemble.servers) {
      this.subjects.set(server.id, new Subject(server));
      server.witness = {
        input: (input, _server, sentMs) => this.input(input, server, sentMs),
        recovered: () => this.recovered(server),
        effect: (effect) => this.effect(effect, server),
        turned: () => this.turned(server),
        crashed: () => this.tell?.(name(server), 'crashes'),
      };
    }
    ensemble.network.tap = (from, to, message) => {
      this.count(`message ${message.type}`);
      if (TOLD.has(message.type)) this.tell?.(`s${from}`, `→ s${to}: ${messageText(message)}`);
    };
  }

  count(what: string): void {
    this.facts.counts.set(what, (this.facts.counts.get(what) ?? 0) + 1);
  }

  private get nowMs(): number {
    return this.ensemble.world.nowMs;
  }

  private subject(server: VirtualServer): Subject {
    return this.subjects.get(server.id) as Subject;
  }

  private input(input: Input, server: VirtualServer, sentMs: number): void {
    if (input.type === 'frames') this.heard(input.connection, server);
    else if (input.type === 'peerMessage') this.peerMessage(input.peer, input.message, sentMs, server);
    else if (input.type === 'logRead' && input.batches.length > 0) this.count('batches from disk');
    else if (input.type === 'storeFailed') {
      const subject = this.subject(server);
      subject.log = subject.log.filter(({ firstZxid }) => firstZxid < input.firstLostZxid);
      subject.lostFrom = input.firstLostZxid;
    }
  }

  private heard(connection: { readonly session: number }, server: VirtualServer): void {
    const { session } = connection;
    const subject = this.subject(server);
    if (session === 0) subject.openings.add(connection);
    const times = subject.heardMs.get(session);
    if (times === undefined) subject.heardMs.set(session, [this.nowMs]);
    else times.push(this.nowMs);
    if (isLeading(server)) {
      subject.carriers.set(session, server.id);
      subject.known(session, this.nowMs);
    }
  }

  private peerMessage(from: number, message: PeerMessage, sentMs: number, server: VirtualServer): void {
    if (!isLeading(server)) return;
    const leader = this.subject(server);
    if (message.type === 'revalidate') {
      for (const session of message.sessions) leader.carriers.set(session, from);
    } else if (message.type === 'forward') {
      const { operations, sessions } = decodeBatch(message.batch);
      operations.forEach((operation, i) => {
        if (operation === OpCode.createSession) leader.carriers.set(sessions[i], from);
      });
    } else if (message.type === 'pong' && isLearnerOf(server, from)) {
      const learner = this.subjects.get(from) as Subject;
      for (const session of message.sessions) {
        if (leader.carriers.get(session) === from) leader.known(session, learner.lastHeardMs(session, sentMs));
      }
    }
  }

  private recovered(server: VirtualServer): void {
    const subject = this.subject(server);
    const { disk, replica } = server;
    subject.log = [...disk.log];
    subject.appliedZxid = disk.checkpoint?.zxid ?? 0;
    subject.copyZxid = 0;
    subject.isCopying = false;
    subject.role = '';
    subject.leadsEpoch = 0;
    subject.heardMs.clear();
    subject.openings.clear();
    const zxid = replica.appliedZxid;
    this.facts.recoveries.push({ server: server.id, zxid, digest: digestText(replica.world) });
    const epochs = `epochs ${disk.acceptedEpoch}/${disk.currentEpoch}`;
    if (zxid !== subject.appliedZxid) this.executed(subject);
    this.tell?.(name(server), `starts: checkpoint ${zxidText(zxid)}, log to ${zxidText(disk.lastZxid)}, ${epochs}`);
  }

  private effect(effect: Effect, server: VirtualServer): boolean {
    const subject = this.subject(server);
    if (server.replica.appliedZxid !== subject.appliedZxid) this.executed(subject);
    if (this.crashes(effect, server)) return true;
    if (effect.type !== 'send' && effect.type !== 'flush' && effect.type !== 'note') this.count(effect.type);
    switch (effect.type) {
      case 'append':
        // What was asked for earlier in the turn that hears of a loss comes behind it, and is lost as well.
        if (effect.firstZxid < subject.lostFrom) this.appended(effect, subject);
        break;
      case 'truncate':
        subject.log = subject.log.filter(({ lastZxid }) => lastZxid <= effect.afterZxid);
        break;
      case 'beginCheckpoint':
        if (effect.isFull) {
          subject.copyZxid = effect.zxid;
          subject.isCopying = true;
          this.count('full copy');
        } else subject.isCopying = false;
        break;
      case 'endCheckpoint':
        if (subject.isCopying) subject.log = [];
        subject.isCopying = false;
        break;
      case 'storeEpochs':
        this.tell?.(name(server), `stores epochs: accepted ${effect.acceptedEpoch}, current ${effect.currentEpoch}`);
        break;
      case 'serving':
        subject.servingMs = this.nowMs;
        subject.knownMs.clear();
        subject.carriers.clear();
        this.tell?.(name(server), `serves in epoch ${effect.epoch}`);
        break;
      case 'notServing':
        this.tell?.(name(server), 'serves no more');
        break;
      case 'resetLink':
        this.tell?.(name(server), `breaks the link to s${effect.peer}: ${effect.reason}`);
        break;
      case 'diverged':
        this.facts.divergences.push({ server: server.id, reason: effect.reason });
        this.tell?.(name(server), `has another state than its leader: ${effect.reason}`);
        break;
      case 'note': {
        const session = EXPIRED.exec(effect.message)?.[1];
        if (session !== undefined) this.expired(Number(session), subject);
        if (effect.level !== 'debug') this.tell?.(name(server), effect.message);
        break;
      }
    }
    return false;
  }

  private appended(batch: StoredBatch, subject: Subject): void {
    const { firstZxid, lastZxid, bytes } = batch;
    const { server } = subject;
    subject.log = subject.log.filter((logged) => logged.firstZxid < firstZxid);
    subject.log.push(batch);
    this.facts.logged.push({ server: server.id, firstZxid, lastZxid, hash: hashOf(bytes) });
    if (isLeading(server)) this.noteExpiries(bytes, subject);
  }

  /** Its leader says so the moment it decides, and proposes it as soon as there is room. */
  private expired(session: number, subject: Subject): void {
    const sinceMs = Math.max(subject.servingMs, subject.knownMs.get(session) ?? Number.NEGATIVE_INFINITY);
    subject.silentMs.set(session, this.nowMs - sinceMs);
  }

  private noteExpiries(bytes: Uint8Array, subject: Subject): void {
    const { firstZxid, operations, sessions, cxids } = decodeBatch(bytes);
    operations.forEach((operation, i) => {
      const session = sessions[i];
      if (operation === OpCode.createSession) subject.known(session, this.nowMs);
      if (operation !== OpCode.closeSession || cxids[i] !== 0) return;
      const silentMs = subject.silentMs.get(session);
      if (silentMs === undefined) throw new Error(`session ${session} is closed without a word on why`);
      const timeoutMs = subject.server.replica.world.sessions.get(session)?.timeoutMs ?? 0;
      this.facts.expiries.push({ zxid: firstZxid + i, session, timeoutMs, silentMs });
    });
  }

  private turned(server: VirtualServer): void {
    const subject = this.subject(server);
    subject.lostFrom = Number.POSITIVE_INFINITY;
    const { replica } = server;
    for (const connection of subject.openings) {
      if (connection.session === 0) continue;
      subject.openings.delete(connection);
      // It has come to the leader itself, whoever still hears of an older connection.
      if (isLeading(server)) subject.carriers.set(connection.session, server.id);
    }
    if (replica.role !== subject.role) {
      subject.role = replica.role;
      this.tell?.(name(server), `is ${replica.role}`);
    }
    const epoch = replica.peer.leader?.epoch ?? 0;
    if (epoch !== 0 && epoch !== subject.leadsEpoch) this.leads(subject, epoch);
    if (replica.appliedZxid !== subject.appliedZxid) this.executed(subject);
  }

  private leads(subject: Subject, epoch: number): void {
    const { server, log } = subject;
    subject.leadsEpoch = epoch;
    let committedZxid = 0;
    for (const zxid of this.facts.committed.keys()) {
      if (epochOf(zxid) < epoch && zxid > committedZxid) committedZxid = zxid;
    }
    const lastZxid = Math.max(log.at(-1)?.lastZxid ?? 0, server.replica.appliedZxid);
    this.facts.leaderships.push({ timeMs: this.nowMs, server: server.id, epoch, lastZxid, committedZxid });
    this.tell?.(name(server), `LEADS epoch ${epoch}, with history to ${zxidText(lastZxid)}`);
  }

  private executed(subject: Subject): void {
    const { server } = subject;
    const zxid = server.replica.appliedZxid;
    let afterZxid = subject.appliedZxid;
    if (subject.copyZxid > afterZxid && subject.copyZxid <= zxid) {
      this.tell?.(name(server), `has a full copy at ${zxidText(subject.copyZxid)}`);
      afterZxid = subject.copyZxid;
    }
    const batches: ExecutedBatch[] = [];
    for (const batch of subject.log) {
      if (batch.lastZxid <= afterZxid || batch.lastZxid > zxid) continue;
      const hash = hashOf(batch.bytes);
      this.commit({ ...batch, hash });
      const storedBy = this.storedBy(batch.lastZxid, hash);
      batches.push({ firstZxid: batch.firstZxid, lastZxid: batch.lastZxid, hash, storedBy });
    }
    const digest = digestText(server.replica.world);
    this.facts.executions.push({ timeMs: this.nowMs, server: server.id, afterZxid, batches, zxid, digest });
    subject.appliedZxid = zxid;
    if (zxid > this.committedZxid) {
      this.committedZxid = zxid;
      this.tell?.(name(server), `executes to ${zxidText(zxid)}`);
    }
  }

  private commit(batch: Committed): void {
    if (!this.facts.committed.has(batch.lastZxid)) this.facts.committed.set(batch.lastZxid, batch);
  }

  private storedBy(lastZxid: number, hash: string): number[] {
    return this.facts.voters.filter((id) => (this.subjects.get(id) as Subject).hasStored(lastZxid, hash));
  }
}

function isLeading(server: VirtualServer): boolean {
  return server.isUp && server.replica.isLeading;
}

/** Whom the leader has dropped it does not listen to: what is still on its way from there says nothing to it. */
function isLearnerOf(leader: VirtualServer, id: number): boolean {
  return Array.from(leader.replica.peer.leader?.learners ?? []).some((learner) => learner.id === id);
}

const hashes = new WeakMap<Uint8Array, string>();

export function hashOf(bytes: Uint8Array): string {
  let hash = hashes.get(bytes);
  if (hash === undefined) {
    const trace = new Trace();
    trace.bytes(bytes);
    hash = trace.hash;
    hashes.set(bytes, hash);
  }
  return hash;
}

function name(server: VirtualServer): string {
  return `s${server.id}`;
}

function messageText(message: PeerMessage): string {
  switch (message.type) {
    case 'newEpoch':
    case 'newLeader':
      return `${message.type} ${message.epoch}`;
    case 'truncate':
      return `TRUNC after ${zxidText(message.afterZxid)}`;
    case 'snapshot':
      return `SNAP at ${zxidText(message.zxid)}`;
    case 'upToDate':
      return `up to date at ${zxidText(message.zxid)}`;
    default:
      return message.type;
  }
}
