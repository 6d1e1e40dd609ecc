// What an operation is. Each stands in a file of its own, in four parts that always come in this order: grammar (its
// records, from protocol/client), check (the refusals, in ZooKeeper's order: E40), change (what it does to the tree) and
// answer (the reply's body). One table lists them all; nothing else in the server switches on operation numbers.
//
// A write is executed by every replica from its log entry, so `apply` may look at nothing but the world and the entry:
// no clock, no option, no connection. A read is executed by the server that holds the connection.

import type { Type } from '../../../protocol/jute/schema.js';
import type { JuteWriter } from '../../../protocol/jute/writer.js';
import type { Identity } from '../../../protocol/peer/entries.js';
import type { SessionTable } from '../sessions/table.js';
import type { AclTable } from '../tree/acl.js';
import type { QuotaTable } from '../tree/quota.js';
import type { NodeId, Tree } from '../tree/tree.js';
import type { WatchTable } from '../watches/table.js';
import type { ChangeLog } from './changes.js';

/** The committed state: equal on all replicas at equal zxids. */
export interface World {
  tree: Tree;
  acls: AclTable;
  quotas: QuotaTable;
  sessions: SessionTable;
  /** What the entry in execution changed, for the watches. Not state: emptied after each entry. */
  changes: ChangeLog;
}

/** A log entry as its execution sees it: all that it may depend on beside the world. */
export interface Entry {
  readonly zxid: number;
  readonly timeMs: number;
  /** The session that asks; 0 for the server itself. */
  readonly session: number;
  readonly caller: readonly Identity[];
  readonly enforceQuota: boolean;
  readonly skipAcl: boolean;
}

/**
 * An operation that is replicated. `apply` checks, changes and answers in one go: it returns 0 after it has changed the
 * tree and, if `reply` is given, written the reply's body; or an error code, in which case it has changed nothing (what
 * it may have written to `reply` is discarded by the caller).
 */
export interface WriteOperation<Request> {
  readonly kind: 'write';
  readonly name: string;
  readonly code: number;
  readonly request: Type<never, Request> | Type<unknown, Request>;
  apply(world: World, entry: Entry, request: Request, reply: JuteWriter | null): number;
}

/** Whoever watches: a client's connection. */
export interface Watcher {
  readonly session: number;
  readonly identities: readonly Identity[];
}

/** What a read may look at. */
export interface ReadContext {
  readonly world: World;
  readonly watches: WatchTable<Watcher>;
  /** The connection that asks; watches are registered for it. */
  readonly watcher: Watcher;
  readonly skipAcl: boolean;
  /** Writes a watch event to a connection, now: what setWatches does for changes that were missed (E62). */
  deliver(watcher: Watcher, eventType: number, path: string): void;
}

/** An operation that one server answers alone. Returns 0 after writing the reply's body, or an error code. */
export interface ReadOperation<Request> {
  readonly kind: 'read';
  readonly name: string;
  readonly code: number;
  readonly request: Type<never, Request> | Type<unknown, Request>;
  answer(context: ReadContext, request: Request, reply: JuteWriter): number;
  /** It delivers events to its own connection, which go out before its reply; it has no body then (E62). */
  readonly deliversEvents?: true;
}

export type { NodeId };
