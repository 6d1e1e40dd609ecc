// The core of locks, elections, semaphores and barriers: a place in a line. Each contender creates an ephemeral sequential
// node under one directory. Who has nobody in its way has its turn; who has watches only the nearest that is in its way, so
// that one that leaves wakes no more than those who may have their turn now.
//
//   enter ──▶ node created ──▶ turn(): children ──▶ somebody in the way? ── no ──▶ its turn
//                                         ▲           │ yes
//                                         └── the nearest of them goes
//
// The create is a protected one: a lost answer leaves no node that nobody knows of. For the same reason it is never
// given up half way: when the caller aborts, it is finished behind his back and the node taken away.

import { type Acl, type Client, type Data, ZooKeeperError } from '../client/index.js';
import { ensureDirectory } from './directory.js';
import { REFUSED_PAUSE_MS } from './insist.js';
import type { Line } from './layouts.js';
import { type Contestant, inOrder } from './sequence.js';
import { abortable, nodeChanged, orNull, PATIENT, pause, persist } from './waiting.js';

/** Where contenders stand, and as what. */
export interface Queue {
  readonly directory: string;
  readonly line: Line;
  /** Which of the line's kinds these are. */
  readonly kind: string;
  readonly data?: Data | undefined;
  readonly acl?: readonly Acl[] | undefined;
}

/** A contender as others see it. */
export interface ContenderInfo {
  readonly path: string;
  /** Its fencing token: the zxid of the creation of its node. */
  readonly token: bigint;
  /** What it gave as `data`. */
  readonly data: Buffer | null;
}

export class Contender {
  private constructor(
    readonly client: Client,
    readonly queue: Queue,
    readonly path: string,
    /** czxid of the node with which it entered. */
    readonly token: bigint,
    readonly sessionId: bigint,
  ) {}

  /** Takes a place at the end of the line. Rejects with the signal's reason, and then leaves no node. */
  static async enter(client: Client, queue: Queue, signal: AbortSignal | undefined): Promise<Contender> {
    signal?.throwIfAborted();
    const entering = Contender.#create(client, queue);
    try {
      return await abortable(entering, signal);
    } catch (error) {
      if (signal?.aborted === true) entering.then((contender) => contender.abandon()).catch(() => {});
      throw error;
    }
  }

  static async #create(client: Client, queue: Queue): Promise<Contender> {
    const { directory, kind, data, acl } = queue;
    for (;;) {
      try {
        const options = { ...PATIENT, mode: 'ephemeral-sequential', protected: true, acl } as const;
        const { path, stat } = await persist(client, () => client.create(`${directory}/${kind}`, data, options));
        return new Contender(client, queue, path, stat.czxid, stat.ephemeralOwner);
      } catch (error) {
        if (!ZooKeeperError.is(error, 'NoNode')) throw error;
      }
      await ensureDirectory(client, directory, { acl });
    }
  }

  get name(): string {
    return this.path.slice(this.path.lastIndexOf('/') + 1);
  }

  /**
   * Waits until nobody is in the way; false when its session is gone, or its node. The node may outlive the session for a
   * while, when no server was there to end it; it is taken away then.
   */
  async turn(signal: AbortSignal | undefined): Promise<boolean> {
    for (;;) {
      const look = await this.look(signal);
      if (look === null) return false;
      if (look.bar === undefined) return true;
      await nodeChanged(this.client, `${this.queue.directory}/${look.bar.name}`, signal);
    }
  }

  /**
   * The nearest one in the way; null when its session is gone, or its node. Before, the session is proven to live for a
   * while, if that was not done lately: who waits for long only pings, and what it gets its turn with must not be
   * about to expire.
   */
  async look(signal: AbortSignal | undefined): Promise<{ readonly bar: Contestant | undefined } | null> {
    const { directory, line, kind } = this.queue;
    const [children] = await abortable(Promise.all([childrenOf(this.client, directory), this.prove()]), signal);
    if (!this.isAlive) {
      this.abandon();
      return null;
    }
    const contestants = inOrder(children, line.kinds);
    const own = contestants.findIndex(({ name }) => name === this.name);
    if (own === -1) return null;
    return { bar: contestants.slice(0, own).findLast((ahead) => line.bars(ahead.kind, kind)) };
  }

  /** Asks the leader, when it was not asked for a third of the session timeout. */
  async prove(): Promise<void> {
    const { client } = this;
    if (client.sessionSafeForMs >= (client.session.timeoutMs * 2) / 3) return;
    await persist(client, () => client.sync(this.queue.directory, PATIENT));
  }

  /** Whether the client still has the session that the node belongs to. */
  get isAlive(): boolean {
    return this.client.session.id === this.sessionId;
  }

  /**
   * Goes on as another kind in the same place, with the same token: in one transaction a node with the same number takes
   * the place of this one. Null when the session is gone, or the node.
   */
  async become(kind: string): Promise<Contender | null> {
    const { client, queue } = this;
    const path = `${queue.directory}/${this.name.replace(queue.kind, kind)}`;
    while (this.isAlive) {
      try {
        const options = { mode: 'ephemeral', acl: queue.acl } as const;
        await client.transaction().create(path, queue.data, options).delete(this.path).commit(PATIENT);
        return new Contender(client, { ...queue, kind }, path, this.token, this.sessionId);
      } catch (error) {
        // It has happened before, and the answer was lost: nobody else makes this name.
        if (ZooKeeperError.is(error, 'NodeExists')) {
          return new Contender(client, { ...queue, kind }, path, this.token, this.sessionId);
        }
        if (ZooKeeperError.is(error, 'NoNode')) return null;
        if (!ZooKeeperError.is(error, 'ConnectionLoss', 'SessionExpired') || client.state === 'CLOSED') throw error;
      }
    }
    return null;
  }

  /**
   * Gives the place up. Returns when the node is gone, or sure to go with its session: one that is lost may linger on the
   * servers, so the node is still taken away, but nobody waits for that. A server that refuses for the moment is asked
   * again: the node of a session that lives would keep everybody behind it out.
   */
  async leave(): Promise<void> {
    const { client, path } = this;
    const remove = () => client.delete(path, PATIENT);
    for (;;) {
      try {
        return await remove();
      } catch (error) {
        if (client.state === 'CLOSED' || ZooKeeperError.is(error, 'NoNode', 'ClientClosed')) return;
        if (ZooKeeperError.is(error, 'SessionExpired')) {
          persist(client, remove).catch(() => {});
          return;
        }
        if (!ZooKeeperError.is(error) || !error.retryable) throw error;
        if (error.name !== 'ConnectionLoss') await pause(client, REFUSED_PAUSE_MS);
      }
    }
  }

  /** As leave(), when nobody waits for it: a failure leaves the node to the end of the session. */
  abandon(): void {
    this.leave().catch(() => {});
  }
}

/**
 * Enters and waits for the turn. Who loses the session while waiting enters again, at the end of the line. Rejects with
 * the signal's reason, ClientClosed, or what the server has against the create.
 */
export async function contend(client: Client, queue: Queue, signal: AbortSignal | undefined): Promise<Contender> {
  for (;;) {
    const contender = await Contender.enter(client, queue, signal);
    try {
      if (await contender.turn(signal)) return contender;
    } catch (error) {
      contender.abandon();
      throw error;
    }
  }
}

/** As contend(), when nobody is to be waited for: null when somebody is in the way. */
export async function contendAtOnce(
  client: Client,
  queue: Queue,
  signal: AbortSignal | undefined,
): Promise<Contender | null> {
  for (;;) {
    const contender = await Contender.enter(client, queue, signal);
    try {
      const look = await contender.look(signal);
      if (look === null) continue;
      if (look.bar === undefined) return contender;
    } catch (error) {
      contender.abandon();
      throw error;
    }
    await abortable(contender.leave(), signal);
    return null;
  }
}

/** Who stands in the line, first one first. */
export async function contendersOf(client: Client, queue: Queue): Promise<ContenderInfo[]> {
  const { directory, line } = queue;
  const contestants = inOrder(await childrenOf(client, directory), line.kinds);
  const paths = contestants.map(({ name }) => `${directory}/${name}`);
  const nodes = await Promise.all(paths.map((path) => orNull(client.get(path))));
  return nodes.flatMap((node, i) =>
    node === null ? [] : [{ path: paths[i], token: node.stat.czxid, data: node.data }],
  );
}

/** Paths of those who have nobody in their way, first one first. */
export async function holdersOf(client: Client, queue: Queue): Promise<string[]> {
  const { directory, line } = queue;
  const contestants = inOrder(await childrenOf(client, directory), line.kinds);
  return contestants
    .filter(({ kind }, i) => !contestants.slice(0, i).some((ahead) => line.bars(ahead.kind, kind)))
    .map(({ name }) => `${directory}/${name}`);
}

/** The names under the directory; none when it is not there. */
export async function childrenOf(client: Client, directory: string): Promise<string[]> {
  return (await orNull(persist(client, () => client.children(directory, PATIENT)))) ?? [];
}
