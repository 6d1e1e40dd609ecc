// The core of locks, elections and barriers: a place in a queue. Each contender creates an ephemeral sequential node under
// one directory; the lowest number is first. Who is not first watches only the node before its own, so that one that
// leaves wakes one other and not all.
//
//   enter ──▶ node created ──▶ turn(): children ──▶ first? ── yes ──▶ its turn
//                                         ▲           │ no
//                                         └── the node before it goes
//
// The create is a protected one: a lost answer leaves no node that nobody knows of. For the same reason it is never
// given up half way: when the caller aborts, it is finished behind his back and the node taken away.

import { type Acl, type Client, type Data, ZooKeeperError } from '../client/index.js';
import { ensureDirectory } from './directory.js';
import { inOrder } from './sequence.js';
import { abortable, nodeChanged, orNull, PATIENT, persist } from './waiting.js';

/** Where contenders stand. */
export interface Queue {
  readonly directory: string;
  /** What their names begin with, before the number. */
  readonly prefix: string;
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
    /** czxid of the node. */
    readonly token: bigint,
    readonly sessionId: bigint,
  ) {}

  /** Takes a place at the end of the queue. Rejects with the signal's reason, and then leaves no node. */
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
    const { directory, prefix, data, acl } = queue;
    for (;;) {
      try {
        const options = { ...PATIENT, mode: 'ephemeral-sequential', protected: true, acl } as const;
        const { path, stat } = await persist(client, () => client.create(`${directory}/${prefix}`, data, options));
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
   * Waits until fewer than `permits` others stand before this one; false when its session is gone, or its node. The node
   * may outlive the session for a while, when no server was there to end it; it is taken away then.
   */
  async turn(permits: number, signal: AbortSignal | undefined): Promise<boolean> {
    for (;;) {
      const { rank, names } = await abortable(this.#look(), signal);
      if (!this.isAlive) this.abandon();
      if (rank === -1 || !this.isAlive) return false;
      if (rank < permits) return true;
      await nodeChanged(this.client, `${this.queue.directory}/${names[rank - permits]}`, signal);
    }
  }

  /** Whether the client still has the session that the node belongs to. */
  get isAlive(): boolean {
    return this.client.session.id === this.sessionId;
  }

  /** Whether it stands first, in a session that is alive. */
  async isFirst(signal: AbortSignal | undefined): Promise<boolean> {
    const { rank } = await abortable(this.#look(), signal);
    return rank === 0 && this.isAlive;
  }

  /** Gives the place up. Returns when the node is gone, or sure to go with its session. */
  async leave(): Promise<void> {
    try {
      await persist(this.client, () => this.client.delete(this.path, PATIENT));
    } catch (error) {
      if (this.client.state !== 'CLOSED' && !ZooKeeperError.is(error, 'NoNode', 'ClientClosed')) throw error;
    }
  }

  /** As leave(), when nobody waits for it: a failure leaves the node to the end of the session. */
  abandon(): void {
    this.leave().catch(() => {});
  }

  async #look(): Promise<{ rank: number; names: string[] }> {
    const { directory, prefix } = this.queue;
    const children = await orNull(persist(this.client, () => this.client.children(directory, PATIENT)));
    const names = inOrder(children ?? [], prefix).map(({ name }) => name);
    return { rank: names.indexOf(this.name), names };
  }
}

/**
 * Enters and waits for the turn. Who loses the session while waiting enters again, at the end of the queue. Rejects with
 * the signal's reason, ClientClosed, or what the server has against the create.
 */
export async function contend(
  client: Client,
  queue: Queue,
  permits: number,
  signal: AbortSignal | undefined,
): Promise<Contender> {
  for (;;) {
    const contender = await Contender.enter(client, queue, signal);
    try {
      if (await contender.turn(permits, signal)) return contender;
    } catch (error) {
      contender.abandon();
      throw error;
    }
  }
}

/** Who stands in the queue, first one first. */
export async function contendersOf(client: Client, queue: Queue): Promise<ContenderInfo[]> {
  const { directory, prefix } = queue;
  const children = (await orNull(client.children(directory))) ?? [];
  const paths = inOrder(children, prefix).map(({ name }) => `${directory}/${name}`);
  const nodes = await Promise.all(paths.map((path) => orNull(client.get(path))));
  return nodes.flatMap((node, i) =>
    node === null ? [] : [{ path: paths[i], token: node.stat.czxid, data: node.data }],
  );
}
