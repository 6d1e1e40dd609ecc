// From a connect request to an open session (E2-E7). A new session is a log entry: the client hears of it when that was
// executed. One that is resumed exists already, and the leader has to say that it lives. What it sent through its old
// connection may still be under way: the answer waits until that is executed, so that it cannot be taken for an answer to
// what comes through the new one.
//
// Without the session's password nobody moves it, ends it or keeps it alive. A learner that does not know a session yet
// cannot judge: it first executes what the leader has committed by now, and the session stays untouched meanwhile.

import { OpCode } from '../../../protocol/client/constants.js';
import { hex } from '../../../protocol/ids.js';
import type { JuteReader } from '../../../protocol/jute/reader.js';
import { JuteWriter } from '../../../protocol/jute/writer.js';
import { CreateSessionRequest } from '../ops/create-session.js';
import type { SyncBarrier } from '../relay.js';
import { negotiate } from '../sessions/table.js';
import type { Upstream } from './clients.js';
import type { Connection } from './connections.js';
import { answerConnect, type Greeting, readGreeting, refuseConnect } from './handshake.js';

/** What an opening needs from the connections' owner. */
export interface Doorkeeper {
  close(connection: Connection, reason: string): void;
  sent(connection: Connection): void;
  /** The session is open: takes in what was held. */
  admitted(connection: Connection): void;
}

export const MOVED = 'its session has moved to another connection';

export class Openings {
  /** Which connection carries a session, from the moment it is opened or resumed. */
  readonly bySession = new Map<number, Connection>();
  private readonly upstream: Upstream;
  private readonly doorkeeper: Doorkeeper;
  /** Resumed sessions, each with the zxid that must be executed before its client is answered; Infinity: not known yet. */
  private readonly resuming = new Map<Connection, number>();
  /** Who came back with a session that this learner does not know, until it has caught up. */
  private readonly unjudged = new Map<Connection, { readonly greeting: Greeting; readonly barrier: SyncBarrier }>();

  constructor(upstream: Upstream, doorkeeper: Doorkeeper) {
    this.upstream = upstream;
    this.doorkeeper = doorkeeper;
  }

  forget(connection: Connection): void {
    if (this.bySession.get(connection.session) === connection) this.bySession.delete(connection.session);
    this.resuming.delete(connection);
    this.unjudged.delete(connection);
  }

  /** The first packet of a connection, checked in the order of E3. */
  greet(connection: Connection, reader: JuteReader): void {
    const { upstream } = this;
    const greeting = readGreeting(reader);
    if (greeting === null) {
      this.doorkeeper.close(connection, 'its first packet is no connect request');
      return;
    }
    const refusal = this.refusal(greeting);
    if (refusal !== null) {
      this.doorkeeper.close(connection, refusal);
      return;
    }
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = upstream.options;
    connection.timeoutMs = negotiate(greeting.timeoutMs, minSessionTimeoutMs, maxSessionTimeoutMs);
    connection.echoReadOnly = greeting.hasReadOnly;
    connection.become('opening');
    if (greeting.sessionId === 0) this.open(connection);
    else if (upstream.isLeading || this.knows(greeting)) this.resume(connection, greeting);
    else {
      const barrier = { zxid: Number.POSITIVE_INFINITY };
      this.unjudged.set(connection, { greeting, barrier });
      upstream.sync(barrier, 0); // whoever it is has not shown the password yet
    }
  }

  /** Why a client is turned away without an answer, so that it tries another server. */
  private refusal({ lastZxidSeen, sessionId }: Greeting): string | null {
    const { isServing, isWritable, appliedZxid } = this.upstream;
    if (!isServing) return 'this server is not serving';
    // Single system image: never serve a client that has seen more than we have.
    if (lastZxidSeen > appliedZxid) return `it has seen ${hex(lastZxidSeen)}, this server is at ${hex(appliedZxid)}`;
    if (sessionId === 0 && !isWritable) return 'no session can be opened at the moment';
    return null;
  }

  private open(connection: Connection): void {
    const { upstream } = this;
    const request = new JuteWriter(64);
    CreateSessionRequest.write(request, { timeoutMs: connection.timeoutMs, password: connection.password });
    this.carry(connection, upstream.nextSessionId());
    const { bytes, position } = request;
    upstream.release(OpCode.createSession, connection.session, 0, connection.identities, bytes, 0, position);
  }

  /** The password is checked before the session's other connection is closed: better than E3 (7). */
  private resume(connection: Connection, { sessionId, password }: Greeting): void {
    const { upstream, doorkeeper } = this;
    const { liveness, monotonicMs, world } = upstream;
    if (!world.sessions.matches(sessionId, password) || liveness.isClosing(sessionId)) {
      this.refuse(connection);
      return;
    }
    const other = this.bySession.get(sessionId);
    if (other !== undefined) doorkeeper.close(other, MOVED);
    liveness.touch(sessionId, monotonicMs, connection.timeoutMs);
    connection.password = password;
    this.carry(connection, sessionId);
    this.resuming.set(connection, Number.POSITIVE_INFINITY);
    upstream.revalidate(sessionId, connection.timeoutMs);
  }

  private refuse(connection: Connection): void {
    refuseConnect(connection);
    this.doorkeeper.sent(connection);
    this.doorkeeper.close(connection, 'its session is unknown, expired or not its own');
  }

  /** The leader has answered: the session lives, and nothing of it is under way beyond `zxid`. */
  revalidated(session: number, isAlive: boolean, zxid: number): void {
    const connection = this.bySession.get(session);
    if (connection === undefined || this.resuming.get(connection) !== Number.POSITIVE_INFINITY) return;
    if (!isAlive) {
      this.refuse(connection);
      return;
    }
    this.resuming.set(connection, zxid);
    this.settled();
  }

  private knows({ sessionId }: Greeting): boolean {
    return this.upstream.world.sessions.get(sessionId) !== undefined;
  }

  private carry(connection: Connection, session: number): void {
    connection.session = session;
    this.bySession.set(session, connection);
  }

  /** The entry that creates the session was executed. */
  created(session: number): void {
    const connection = this.bySession.get(session);
    // A learner that lags may execute it while the session comes back already: then the leader's answer counts.
    if (connection === undefined || this.resuming.has(connection)) return;
    // A server that starts again with its clock set back may give an id twice: the session is the first one's.
    if (this.upstream.world.sessions.matches(session, connection.password)) this.opened(connection);
    else this.refuse(connection);
  }

  /** Resumed sessions whose clients have no answer yet. */
  get unanswered(): Iterable<Connection> {
    return this.resuming.keys();
  }

  /** Entries were executed: judges and answers the resumed sessions that waited for them. */
  settled(): void {
    for (const [connection, { greeting, barrier }] of this.unjudged) {
      if (barrier.zxid > this.upstream.appliedZxid) continue;
      this.unjudged.delete(connection);
      this.resume(connection, greeting);
    }
    for (const [connection, zxid] of this.resuming) {
      if (zxid > this.upstream.appliedZxid) continue;
      this.resuming.delete(connection);
      if (this.upstream.world.sessions.matches(connection.session, connection.password)) this.opened(connection);
      else this.refuse(connection);
    }
  }

  /** Nothing after this zxid will come: whoever waits for more waits for that. */
  withdrawn(lastZxid: number): void {
    for (const [connection, zxid] of this.resuming) {
      if (zxid !== Number.POSITIVE_INFINITY) this.resuming.set(connection, Math.min(zxid, lastZxid));
    }
  }

  private opened(connection: Connection): void {
    connection.become('open');
    answerConnect(connection);
    this.doorkeeper.sent(connection);
    this.doorkeeper.admitted(connection);
  }
}
