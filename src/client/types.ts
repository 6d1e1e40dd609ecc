// What users hand in and get back, in plain objects.

import { CreateFlag, TTL_MS_MAX } from '../../protocol/client/constants.js';
import type { Watcher, WatchType } from './watches.js';

/** What ZooKeeper knows of a node beside its data. */
export interface Stat {
  /** zxid of its creation: rises over all nodes, also over a fail-over, so it can serve as a fencing token. */
  readonly czxid: bigint;
  /** zxid of the last change of its data. */
  readonly mzxid: bigint;
  /** zxid of the last creation or deletion of a child. */
  readonly pzxid: bigint;
  /** Creation, and last change of the data, in milliseconds since 1970 by the leader's clock. */
  readonly ctime: number;
  readonly mtime: number;
  /** Number of changes of the data, of the list of children, and of the ACL. */
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  /** The session that an ephemeral node belongs to; 0n for other nodes. */
  readonly ephemeralOwner: bigint;
  readonly dataLength: number;
  readonly numChildren: number;
}

/**
 * Content of a node. A string is sent as UTF-8. `null` and empty are different. Bytes are not copied when the call is
 * made: they must not change until it has settled.
 */
export type Data = Uint8Array | string | null;

/** One permission entry. `perms` is a sum of `Perms`. */
export interface Acl {
  /** `world` (id `anyone`), `auth` (id '': whoever the caller is), `digest`, `ip`, `x509`, … */
  readonly scheme: string;
  readonly id: string;
  readonly perms: number;
}

/** Permissions of an ACL entry; add them up. */
export const Perms = { READ: 1, WRITE: 2, CREATE: 4, DELETE: 8, ADMIN: 16, ALL: 31 } as const;

/** Everybody may do everything: the default. */
export const OPEN_ACL: readonly Acl[] = [{ scheme: 'world', id: 'anyone', perms: Perms.ALL }];
/** Only the identities that the client has added with addAuth. */
export const CREATOR_ACL: readonly Acl[] = [{ scheme: 'auth', id: '', perms: Perms.ALL }];
/** Everybody may read. */
export const READ_ACL: readonly Acl[] = [{ scheme: 'world', id: 'anyone', perms: Perms.READ }];

/** For every call: a deadline of its own and a way to give up. */
export interface CallOptions {
  /** Give up after this time with RequestTimeout. Default: the client's `requestTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** Give up when it aborts: the call rejects with the signal's reason. A write that was sent may still be applied. */
  readonly signal?: AbortSignal | undefined;
}

export type CreateMode =
  | 'persistent'
  | 'ephemeral'
  | 'persistent-sequential'
  | 'ephemeral-sequential'
  | 'container'
  | 'ttl'
  | 'ttl-sequential';

export interface NodeOptions {
  /** The kind of node in one word; or say it with the flags below. Default `persistent`. */
  readonly mode?: CreateMode | undefined;
  /** Goes with the session. */
  readonly ephemeral?: boolean | undefined;
  /** The server appends a number of ten digits, rising under this parent. */
  readonly sequential?: boolean | undefined;
  /** Goes when its last child has gone. */
  readonly container?: boolean | undefined;
  /** Goes when it has no children and was not set for so long, 1 … 2^40 − 1. The server must allow it. */
  readonly ttlMs?: number | undefined;
  /** Default OPEN_ACL. */
  readonly acl?: readonly Acl[] | undefined;
}

export interface CreateOptions extends NodeOptions, CallOptions {
  /** Make the ancestors that are missing as well: persistent nodes without data, with the same ACL. Default false. */
  readonly parents?: boolean | undefined;
  /**
   * Survives a lost answer: the name gets a random prefix, by which the client finds out after a reconnect whether the
   * node was made. Use it where an orphan would do harm, as with the sequential nodes of a lock. Default false.
   */
  readonly protected?: boolean | undefined;
}

export interface VersionOptions extends CallOptions {
  /** Only if the node has this version, else BadVersion. Default: any. */
  readonly version?: number | undefined;
}

/** A call that may leave a one-shot watch: `watch` is called once, before any answer that shows the change (E59). */
export interface WatchOptions extends CallOptions {
  readonly watch?: Watcher | undefined;
}

export interface RemoveWatchesOptions extends CallOptions {
  /** Default `any`. */
  readonly type?: WatchType | undefined;
  /** Only this callback. Default: all. */
  readonly watch?: Watcher | undefined;
  /** Take it away here even if the server cannot be asked. Default false. */
  readonly local?: boolean | undefined;
}

export interface ReconfigOptions extends CallOptions {
  /** Incremental: servers to add or change, as `server.4=host:2888:3888;2181`. */
  readonly joining?: readonly string[] | undefined;
  /** Incremental: ids of servers to remove. */
  readonly leaving?: readonly string[] | undefined;
  /** Not incremental: all servers of the new ensemble. */
  readonly members?: readonly string[] | undefined;
  /** Only if the current configuration has this version. Default: any. */
  readonly fromConfig?: bigint | undefined;
}

export interface CreatedNode {
  /** The path with its sequence number, without the chroot. */
  readonly path: string;
  readonly stat: Stat;
}

export interface NodeData {
  readonly data: Buffer | null;
  readonly stat: Stat;
}

export type CreateOperation = 'create2' | 'createContainer' | 'createTTL';

export interface NodeKind {
  readonly operation: CreateOperation;
  /** CreateFlag of the wire. */
  readonly flags: number;
  readonly sequential: boolean;
  readonly ttlMs: number;
}

/** The kind of a new node as the wire has it (E34); a message instead, when the options contradict each other. */
export function nodeKind(options: NodeOptions): NodeKind | string {
  const { mode, ttlMs } = options;
  const sequential = options.sequential === true || mode?.endsWith('sequential') === true;
  const ephemeral = options.ephemeral === true || mode?.startsWith('ephemeral') === true;
  const container = options.container === true || mode === 'container';
  const ttl = ttlMs !== undefined || mode?.startsWith('ttl') === true;
  const persistent = mode?.startsWith('persistent') === true;
  if (Number(ephemeral) + Number(container) + Number(ttl) + Number(persistent) > 1) {
    return 'a node is either persistent or ephemeral or a container or has a TTL';
  }
  if (container) {
    if (sequential) return 'a container cannot be sequential';
    return { operation: 'createContainer', flags: CreateFlag.container, sequential, ttlMs: 0 };
  }
  if (!ttl) {
    const kinds = ephemeral
      ? [CreateFlag.ephemeral, CreateFlag.ephemeralSequential]
      : [CreateFlag.persistent, CreateFlag.persistentSequential];
    return { operation: 'create2', flags: kinds[Number(sequential)], sequential, ttlMs: 0 };
  }
  if (ttlMs === undefined || !Number.isInteger(ttlMs) || ttlMs < 1 || ttlMs > TTL_MS_MAX) {
    return `a TTL is a whole number of milliseconds from 1 to ${TTL_MS_MAX}, not ${ttlMs}`;
  }
  const flags = sequential ? CreateFlag.persistentSequentialTtl : CreateFlag.persistentTtl;
  return { operation: 'createTTL', flags, sequential, ttlMs };
}
