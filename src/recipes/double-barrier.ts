// A number of processes begin together and end together, round after round.
//
// Beginning: every member puts an ephemeral sequential node under the directory. Whoever then sees enough members without
// a round takes the oldest of them and, in one transaction, writes the round into the node of each; each waits for that
// on its own node. The directory's data says up to which number members have a round, and its version lets one of several
// who try at once succeed. So a round is a range of numbers, nobody begins alone, and nobody is in two rounds.
//
// Ending: a chain. A member takes its node away when the members after it in the round have taken theirs, so the first
// member's node goes last, and its end is everybody's. A member whose session has died counts as ended.

import { type Acl, type Client, ZooKeeperError } from '../client/index.js';
import { Contender, childrenOf, type Queue } from './contender.js';
import { BARRIER_LINE } from './layouts.js';
import { compareSequence, inOrder } from './sequence.js';
import { type GuardOptions, SessionGuard } from './session-guard.js';
import {
  abortable,
  nodeChanged,
  orNull,
  PATIENT,
  persist,
  type WaitingOptions,
  watchedData,
  withDeadline,
} from './waiting.js';

export interface DoubleBarrierOptions extends GuardOptions {
  /** Of the nodes it makes. Default OPEN_ACL. Members must be able to write each other's nodes. */
  readonly acl?: readonly Acl[];
}

/** The first and the last number of a round. */
interface Round {
  readonly first: number;
  readonly last: number;
}

/**
 * ```ts
 * const barrier = new DoubleBarrier(client, '/barriers/phase-1', 3);
 * const member = await barrier.enter();   // returns when there are three
 * await work({ signal: member.signal });
 * await member.leave();                   // returns when all three have left
 * ```
 *
 * What it cannot promise: that all who began together are still alive. A member that dies counts as one that has left,
 * and the others are not told. All have to name the same size.
 */
export class DoubleBarrier {
  readonly #client: Client;
  readonly #size: number;
  readonly #queue: Queue;
  readonly #options: DoubleBarrierOptions;

  /**
   * @param path a node of its own for this barrier; it is made when needed, and goes some time after the last use.
   * @param size how many begin together, at least 1.
   */
  constructor(client: Client, path: string, size: number, options: DoubleBarrierOptions = {}) {
    if (!Number.isInteger(size) || size < 1) throw new RangeError(`a barrier is for 1 member or more, not ${size}`);
    this.#client = client;
    this.#size = size;
    this.#options = options;
    this.#queue = { directory: path, line: BARRIER_LINE, kind: 'member-', acl: options.acl };
  }

  /**
   * Waits until there are enough members. Who loses the session while waiting enters again. Rejects with the signal's
   * reason, TimeoutError, ClientClosed, NoAuth, InvalidACL; no member is left behind then.
   *
   * By all or by none: who gives up when the round has just been formed has entered all the same, and the call resolves.
   * To know, it waits for a server's answer, at most until the session is lost.
   */
  enter(options: WaitingOptions = {}): Promise<BarrierMember> {
    return withDeadline(this.#client, options, async (signal) => {
      for (;;) {
        const contender = await Contender.enter(this.#client, this.#queue, signal);
        let round: Round | null;
        try {
          await abortable(this.#formRounds(), signal);
          round = await this.#roundOf(contender, signal);
        } catch (error) {
          round = await this.#withdraw(contender);
          if (round === null) throw error;
        }
        if (round === null) continue;
        // It may have waited for long, with pings alone. Whether that worked the member's guard will see.
        await contender.prove().catch(() => {});
        return new BarrierMember(contender, round, this.#options);
      }
    });
  }

  /** Takes the node of a member that gives up away; but when it is in a round by now, it stays, and this is the round. */
  async #withdraw(contender: Contender): Promise<Round | null> {
    const client = this.#client;
    while (contender.isAlive && client.state !== 'CLOSED') {
      try {
        await client.delete(contender.path, { ...PATIENT, version: 0 });
        return null;
      } catch (error) {
        if (ZooKeeperError.is(error, 'BadVersion')) return this.#roundOf(contender, undefined);
        if (!ZooKeeperError.is(error, 'ConnectionLoss')) break;
      }
    }
    contender.abandon();
    return null;
  }

  /** Puts the oldest members into rounds as long as there are enough without one. */
  async #formRounds(): Promise<void> {
    const client = this.#client;
    const { directory, line } = this.#queue;
    for (;;) {
      // The directory first: a round that is formed in between changes its version, and the transaction fails.
      const node = await orNull(persist(client, () => client.get(directory, PATIENT)));
      const children = await orNull(persist(client, () => client.children(directory, PATIENT)));
      if (node === null || children === null) return;
      const upTo = node.data === null || node.data.length === 0 ? undefined : Number(node.data.toString());
      const waiting = inOrder(children, line.kinds).filter(
        ({ sequence }) => upTo === undefined || compareSequence(sequence, upTo) > 0,
      );
      if (waiting.length < this.#size) return;
      const members = waiting.slice(0, this.#size);
      const first = members[0].sequence;
      const last = members[members.length - 1].sequence;
      const transaction = client.transaction().set(directory, String(last), { version: node.stat.version });
      for (const { name } of members) transaction.set(`${directory}/${name}`, `${first} ${last}`);
      try {
        await transaction.commit(PATIENT);
      } catch (error) {
        // Somebody else was faster, a member has gone, or the answer was lost: look again.
        const isOutrun = ZooKeeperError.is(error, 'BadVersion', 'NoNode', 'ConnectionLoss', 'SessionExpired');
        if (!isOutrun || client.state === 'CLOSED') throw error;
      }
    }
  }

  /** Waits for the member's round; null when its session is gone, or its node. */
  async #roundOf(contender: Contender, signal: AbortSignal | undefined): Promise<Round | null> {
    for (;;) {
      const node = await watchedData(this.#client, contender.path, signal);
      if (!contender.isAlive) {
        node?.change.end();
        contender.abandon();
        return null;
      }
      if (node === null) return null;
      const round = /^(-?\d+) (-?\d+)$/.exec(node.value.data?.toString() ?? '');
      if (round === null) await node.change.wait(signal);
      else {
        node.change.end();
        return { first: Number(round[1]), last: Number(round[2]) };
      }
    }
  }
}

/** A member of a round that has begun. */
export class BarrierMember implements AsyncDisposable {
  /** The fencing token: the zxid that created the member's node. */
  readonly token: bigint;
  readonly path: string;
  /** Aborts before a server could have expired the session, whereupon the others would take this member for gone. */
  readonly signal: AbortSignal;
  readonly #contender: Contender;
  readonly #round: Round;
  readonly #guard: SessionGuard;

  /** @internal Made by DoubleBarrier. */
  constructor(contender: Contender, round: Round, options: GuardOptions) {
    this.#contender = contender;
    this.#round = round;
    this.token = contender.token;
    this.path = contender.path;
    this.#guard = new SessionGuard(contender.client, contender.sessionId, contender.path, options);
    this.signal = this.#guard.signal;
  }

  /**
   * Waits until all members of the round have left. May be called again. Rejects with the signal's reason, TimeoutError
   * or ClientClosed; after an abort this member counts as having left all the same.
   */
  leave(options: WaitingOptions = {}): Promise<void> {
    return withDeadline(this.#contender.client, options, (signal) => this.#leave(signal));
  }

  async #leave(signal: AbortSignal | undefined): Promise<void> {
    const { directory } = this.#contender.queue;
    // Later members may bear the same numbers, once the directory has been cleared away; these names are unique.
    const members = new Set<string>();
    try {
      for (;;) {
        const names = await abortable(this.#remaining(), signal);
        if (members.size === 0) for (const name of names) members.add(name);
        const own = names.indexOf(this.#contender.name);
        if (own === -1 || own === names.length - 1) break;
        await nodeChanged(this.#contender.client, `${directory}/${names[own + 1]}`, signal);
      }
    } finally {
      this.#guard.end('released');
      if (signal?.aborted === true) this.#contender.abandon();
      else await this.#contender.leave();
    }
    for (;;) {
      const first = (await abortable(this.#remaining(), signal)).find((name) => members.has(name));
      if (first === undefined) return;
      await nodeChanged(this.#contender.client, `${directory}/${first}`, signal);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave();
  }

  /** Names of the members of the round whose nodes are there, oldest first. */
  async #remaining(): Promise<string[]> {
    const { client, queue } = this.#contender;
    const { first, last } = this.#round;
    return inOrder(await childrenOf(client, queue.directory), queue.line.kinds)
      .filter(({ sequence }) => compareSequence(sequence, first) >= 0 && compareSequence(sequence, last) <= 0)
      .map(({ name }) => name);
  }
}
