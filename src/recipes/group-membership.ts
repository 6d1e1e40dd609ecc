// Who is there: each member has an ephemeral node under the group's, named by its id.

import type { Acl, Client, Data } from '../client/index.js';
import { TreeCache } from './cache/tree-cache.js';
import { PersistentNode } from './persistent-node.js';
import { orNull } from './waiting.js';

export interface GroupMembershipOptions {
  /** Of the nodes it makes. Default OPEN_ACL. Members need the permission to read each other. */
  readonly acl?: readonly Acl[] | undefined;
}

export interface Member {
  readonly id: string;
  readonly data: Buffer | null;
  /** The zxid of its joining: higher than that of any earlier member with this id. */
  readonly token: bigint;
}

/** A member of a group, for as long as it is not closed: see PersistentNode. */
export type Membership = PersistentNode;

/**
 * ```ts
 * const group = new GroupMembership(client, '/groups/workers');
 * await using me = await group.join('worker-1', 'host-1:8080');
 * for await (const members of group.observe({ signal })) console.log(members.map(({ id }) => id));
 * ```
 *
 * An id is one member's: who joins with the id of another, say after a crash and before the old session has expired, takes
 * its place at once, and the former one, if it is alive after all, leaves: its `signal` aborts with NodeTakenError.
 * The nodes are those of Curator's GroupMember.
 *
 * What it cannot promise: that a member in the list is alive. One that has died stays until its session expires, and one
 * whose connection is away is missing when that takes longer. Members see changes at different moments.
 */
export class GroupMembership {
  readonly #client: Client;
  readonly #path: string;
  readonly #options: GroupMembershipOptions;

  /** @param path the group's node; it is made when needed, and goes some time after the last member. */
  constructor(client: Client, path: string, options: GroupMembershipOptions = {}) {
    this.#client = client;
    this.#path = path;
    this.#options = options;
  }

  /**
   * Joins; returns when the others can see it. `await using`, or close(), leaves. Rejects with the signal's reason, NoAuth,
   * InvalidACL, ClientClosed; no member is left behind then.
   */
  async join(
    id: string,
    data: Data = null,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Membership> {
    if (id === '' || id.includes('/')) throw new RangeError(`${JSON.stringify(id)} cannot be the id of a member`);
    const { acl } = this.#options;
    const node = new PersistentNode(this.#client, `${this.#path}/${id}`, { data, acl, takeOver: true });
    try {
      await node.ready(options);
      return node;
    } catch (error) {
      node.close().catch(() => {});
      throw error;
    }
  }

  /** The members at this moment, by id. */
  async members(): Promise<Member[]> {
    const names = (await orNull(this.#client.children(this.#path))) ?? [];
    const nodes = await Promise.all(names.map((name) => orNull(this.#client.get(`${this.#path}/${name}`))));
    return nodes
      .flatMap((node, i) => (node === null ? [] : [{ id: names[i], data: node.data, token: node.stat.czxid }]))
      .sort(byId);
  }

  /**
   * The members now, and again after each change, by id. While the service is away nothing comes, and who is known stays
   * known. Ends with `break`; rejects with the signal's reason, ClientClosed.
   */
  async *observe(options: { readonly signal?: AbortSignal | undefined } = {}): AsyncGenerator<Member[], void, void> {
    await using cache = new TreeCache(this.#client, this.#path);
    for await (const _ of cache.updates(options)) {
      yield cache
        .children(this.#path)
        .flatMap((id) => {
          const node = cache.get(`${this.#path}/${id}`);
          return node === undefined ? [] : [{ id, data: node.data, token: node.stat.czxid }];
        })
        .sort(byId);
    }
  }
}

function byId(a: Member, b: Member): number {
  return a.id < b.id ? -1 : 1;
}
