// What users hand in and get back, in plain objects.

import { TTL_MS_MAX } from '../../protocol/client/constants.js';
import type * as R from '../../protocol/client/records.js';

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

export function toStat(stat: R.Stat): Stat {
  return {
    czxid: stat.czxid,
    mzxid: stat.mzxid,
    pzxid: stat.pzxid,
    ctime: Number(stat.ctime),
    mtime: Number(stat.mtime),
    version: stat.version,
    cversion: stat.cversion,
    aversion: stat.aversion,
    ephemeralOwner: stat.ephemeralOwner,
    dataLength: stat.dataLength,
    numChildren: stat.numChildren,
  };
}

/** Content of a node. A string is sent as UTF-8. `null` and empty are different. */
export type Data = Uint8Array | string | null;

export function toBytes(data: Data | undefined): Uint8Array | null {
  return typeof data === 'string' ? Buffer.from(data) : (data ?? null);
}

/** As a Buffer over the same bytes, for its toString(). */
export function toBuffer(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

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

export function toWireAcl(acl: readonly Acl[]): R.Acl[] {
  return acl.map(({ scheme, id, perms }) => ({ perms, id: { scheme, id } }));
}

export function fromWireAcl(acl: readonly R.Acl[]): Acl[] {
  return acl.map(({ perms, id }) => ({ scheme: id.scheme, id: id.id, perms }));
}

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

export interface CreatedNode {
  /** The path with its sequence number, without the chroot. */
  readonly path: string;
  readonly stat: Stat;
}

export interface NodeData {
  readonly data: Buffer | null;
  readonly stat: Stat;
}

/** Everything about the kind of a new node as the wire has it (E34); a message instead, when the options contradict. */
export function nodeKind(options: NodeOptions): { operation: CreateOperation; flags: number; ttlMs: number } | string {
  const { mode, ttlMs } = options;
  const sequential = options.sequential === true || mode?.endsWith('sequential') === true;
  const ephemeral = options.ephemeral === true || mode?.startsWith('ephemeral') === true;
  const container = options.container === true || mode === 'container';
  const ttl = ttlMs !== undefined || mode?.startsWith('ttl') === true;
  if (Number(ephemeral) + Number(container) + Number(ttl) > 1) return 'a node is ephemeral or a container or has a TTL';
  if (mode?.startsWith('persistent') && (ephemeral || container || ttl)) return `mode ${mode} contradicts the other options`;
  if (container) {
    return sequential ? 'a container cannot be sequential' : { operation: 'createContainer', flags: 4, ttlMs: 0 };
  }
  if (!ttl) return { operation: 'create2', flags: Number(ephemeral) + 2 * Number(sequential), ttlMs: 0 };
  if (ttlMs === undefined || !Number.isInteger(ttlMs) || ttlMs < 1 || ttlMs > TTL_MS_MAX) {
    return `a TTL is a whole number of milliseconds from 1 to ${TTL_MS_MAX}, not ${ttlMs}`;
  }
  return { operation: 'createTTL', flags: sequential ? 6 : 5, ttlMs };
}

export type CreateOperation = 'create2' | 'createContainer' | 'createTTL';
