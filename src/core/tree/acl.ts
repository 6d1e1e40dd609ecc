// Access control lists. Nodes share few distinct lists, so each list is kept once and a node holds a small number.
//
// A list comes in through `intern`, which applies the rules for what a client may ask for (E43), and is asked through
// `allows` (E42). Every node that has the list counts as a reference; a list without references stays readable, since
// an event about a deleted node is still to be judged by its ACL (E46), until `sweep` is called before a checkpoint.
//
// The numbers are a replica's own business: what enters the state digest is `digest`, computed from the content.

import { Perms } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { type Acl, AclList } from '../../../protocol/client/records.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { JuteReader } from '../../../protocol/jute/reader.js';
import type { View } from '../../../protocol/jute/schema.js';
import type { Slice } from '../../../protocol/jute/slice.js';
import { JuteWriter } from '../../../protocol/jute/writer.js';
import type { Identity } from '../../../protocol/peer/entries.js';
import { assert } from '../../std/assert.js';
import { isInNetwork, type Network, parseNetwork } from './acl-ip.js';

export type AclView = View<typeof AclList>;

/** world:anyone may do everything: the ACL of almost every node. */
export const ACL_OPEN = 0;
/** world:anyone may read: the ACL of /zookeeper/config (E36). */
export const ACL_READ_ONLY = 1;

/** These two are in every table under the same numbers. Their references are not counted. */
const BUILT_IN: readonly (readonly Acl[])[] = [
  [{ perms: Perms.all, id: { scheme: 'world', id: 'anyone' } }],
  [{ perms: Perms.read, id: { scheme: 'world', id: 'anyone' } }],
];

const FORMAT_VERSION = 1;

interface Interned {
  readonly list: readonly Acl[];
  readonly key: string;
  /** Number of nodes that have this list. */
  references: number;
  /** What world:anyone may do, all entries together. */
  readonly worldPerms: number;
  /** Of each entry of scheme `ip`, by index. */
  readonly networks: readonly (Network | null)[];
  readonly digest: number;
}

export class AclTable {
  private interned: (Interned | undefined)[] = [];
  private idsByKey = new Map<string, number>();
  private freeIds: number[] = [];
  /** While a transaction is open: each retained id as it is, each released one as its complement. */
  private journal: number[] | null = null;

  constructor() {
    for (const list of BUILT_IN) this.idOf(list);
  }

  /** Distinct lists in the table. */
  get size(): number {
    return this.idsByKey.size;
  }

  /**
   * The number of the list that a create or setACL asks for, after the fix-up of E43: duplicates go, `auth` becomes
   * the caller's authenticated ids. Or a negative code: InvalidACL, or MarshallingError where ZooKeeper trips over a
   * null id.
   */
  intern(acl: AclView, caller: readonly Identity[]): number {
    if (acl === null || acl.length === 0) return Code.InvalidACL;
    if (acl.length === 1 && isOpen(acl[0])) return ACL_OPEN;
    const fixed: Acl[] = [];
    const seen = new Set<string>();
    for (const { perms, id: idView } of acl) {
      const scheme = idView.scheme?.text() ?? null;
      const id = idView.id?.text() ?? null;
      const key = `${perms} ${scheme} ${id === null}${id}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (scheme === null) return Code.InvalidACL;
      if (scheme === 'auth') {
        const proven = caller.filter(isAuthenticated);
        if (proven.length === 0) return Code.InvalidACL;
        for (const identity of proven) fixed.push({ perms, id: { scheme: identity.scheme, id: identity.id } });
        continue;
      }
      if (!SCHEMES.has(scheme)) return Code.InvalidACL;
      if (id === null) return Code.MarshallingError;
      if (!isValidId(scheme, id)) return Code.InvalidACL;
      fixed.push({ perms, id: { scheme, id } });
    }
    return this.idOf(fixed);
  }

  /** The number of a list that is taken as it is; the list must not be empty. */
  idOf(list: readonly Acl[]): number {
    assert(list.length > 0, 'an ACL has at least one entry');
    const key = keyOf(list);
    const known = this.idsByKey.get(key);
    if (known !== undefined) return known;
    const id = this.freeIds.pop() ?? this.interned.length;
    this.put(id, compile(list, key));
    return id;
  }

  private put(id: number, interned: Interned): void {
    this.interned[id] = interned;
    this.idsByKey.set(interned.key, id);
  }

  private at(aclId: number): Interned {
    const interned = this.interned[aclId];
    assert(interned !== undefined, `no ACL has the number ${aclId}`);
    return interned;
  }

  list(aclId: number): readonly Acl[] {
    return this.at(aclId).list;
  }

  /** A number that depends on nothing but the content of the list: its part in the state digest. */
  digest(aclId: number): number {
    return this.at(aclId).digest;
  }

  /** Whether a caller with these identities may do one of `perms` (E42). */
  allows(aclId: number, perms: number, caller: readonly Identity[], skipAcl: boolean): boolean {
    if (aclId === ACL_OPEN || skipAcl) return true;
    const interned = this.at(aclId);
    if ((interned.worldPerms & perms) !== 0) return true;
    for (const identity of caller) if (identity.scheme === 'super') return true;
    const { list, networks } = interned;
    for (let i = 0; i < list.length; i++) {
      if ((list[i].perms & perms) === 0) continue;
      const { scheme, id } = list[i].id;
      for (const identity of caller) {
        if (identity.scheme === scheme && matches(scheme, id, networks[i], identity.id)) return true;
      }
    }
    return false;
  }

  /** One more node has the list. */
  retain(aclId: number): void {
    if (aclId < BUILT_IN.length) return;
    this.at(aclId).references++;
    this.journal?.push(aclId);
  }

  /** One node less has the list. */
  release(aclId: number): void {
    if (aclId < BUILT_IN.length) return;
    const interned = this.at(aclId);
    assert(interned.references > 0, `ACL ${aclId} is released more often than retained`);
    interned.references--;
    this.journal?.push(~aclId);
  }

  begin(): void {
    assert(this.journal === null, 'a transaction is open already');
    this.journal = [];
  }

  commit(): void {
    assert(this.journal !== null, 'no transaction is open');
    this.journal = null;
  }

  /** Takes back every retain and release since begin. */
  rollback(): void {
    assert(this.journal !== null, 'no transaction is open');
    for (const entry of this.journal) {
      if (entry >= 0) this.at(entry).references--;
      else this.at(~entry).references++;
    }
    this.journal = null;
  }

  /** Forgets the lists that no node has. Call between entries, when their events are out, before `encode`. */
  sweep(): void {
    for (let id = BUILT_IN.length; id < this.interned.length; id++) {
      const interned = this.interned[id];
      if (interned === undefined || interned.references > 0) continue;
      this.idsByKey.delete(interned.key);
      this.interned[id] = undefined;
      this.freeIds.push(id);
    }
  }

  /** version int, then for each number from 0 on: references int and the list, which is null for a free number. */
  encode(): Uint8Array {
    const writer = new JuteWriter();
    writer.int(FORMAT_VERSION);
    writer.int(this.interned.length);
    for (const interned of this.interned) {
      writer.int(interned?.references ?? 0);
      if (interned === undefined) writer.int(-1);
      else AclList.write(writer, interned.list as Acl[]);
    }
    return writer.toBytes();
  }

  /**
   * Takes over a table that was encoded, in place of what this one holds. Throws ProtocolError for bytes that are not
   * exactly one table; this one is as it was then.
   */
  load(bytes: Uint8Array): void {
    assert(this.journal === null, 'loading inside of a transaction');
    const loaded = AclTable.decode(bytes);
    this.interned = loaded.interned;
    this.idsByKey = loaded.idsByKey;
    this.freeIds = loaded.freeIds;
  }

  private static decode(bytes: Uint8Array): AclTable {
    const reader = new JuteReader(bytes);
    const version = reader.int();
    if (version !== FORMAT_VERSION) throw new ProtocolError(`ACL table: unknown version ${version}`, 0);
    const table = new AclTable();
    const count = reader.vectorLength();
    if (count < BUILT_IN.length) throw new ProtocolError(`ACL table of ${count} lists`, 4);
    for (let id = 0; id < count; id++) {
      const at = reader.position;
      const references = reader.int();
      const list = AclList.read(reader);
      if (references < 0) throw new ProtocolError(`ACL ${id} with ${references} references`, at);
      if (id < BUILT_IN.length) {
        if (keyOf(list) !== keyOf(BUILT_IN[id])) throw new ProtocolError(`ACL ${id} is not the built-in one`, at);
      } else if (list.length === 0) {
        table.interned[id] = undefined;
        table.freeIds.push(id);
      } else {
        const key = keyOf(list);
        if (table.idsByKey.has(key)) throw new ProtocolError(`ACL ${id} appears twice`, at);
        table.put(id, compile(list, key));
        table.at(id).references = references;
      }
    }
    if (reader.remaining > 0) throw new ProtocolError(`ACL table: ${reader.remaining} bytes too many`, reader.position);
    return table;
  }
}

/** Schemes that an ACL may name, `auth` and `super` aside. */
const SCHEMES: ReadonlySet<string> = new Set(['world', 'digest', 'ip', 'x509', 'sasl']);

/** An address proves nothing, and `super` is no id that a node could have (E43). */
function isAuthenticated(identity: Identity): boolean {
  return identity.scheme !== 'ip' && identity.scheme !== 'world' && SCHEMES.has(identity.scheme);
}

function isValidId(scheme: string, id: string): boolean {
  if (scheme === 'world') return id === 'anyone';
  if (scheme === 'ip') return parseNetwork(id) !== null;
  // Java's split drops empty parts at the end: `user:` has one part, `:hash` two, and `user:hash:` two as well (E44).
  if (scheme === 'digest') return id.replace(/:+$/, '').split(':').length === 2;
  return true;
}

function matches(scheme: string, aclId: string, network: Network | null, id: string): boolean {
  return scheme === 'ip' ? network !== null && isInNetwork(network, id) : id === aclId;
}

function compile(list: readonly Acl[], key: string): Interned {
  let worldPerms = 0;
  for (const { perms, id } of list) if (id.scheme === 'world' && id.id === 'anyone') worldPerms |= perms;
  return {
    list,
    key,
    references: 0,
    worldPerms,
    networks: list.map(({ id }) => (id.scheme === 'ip' ? parseNetwork(id.id) : null)),
    digest: textDigest(key),
  };
}

/** Equal for equal lists only: lengths keep the parts apart. */
function keyOf(list: readonly Acl[]): string {
  return list.map(({ perms, id }) => `${perms} ${id.scheme.length} ${id.scheme} ${id.id.length} ${id.id}`).join(' ');
}

/** FNV-1a over UTF-16 units: 32 bits, and the same on every machine. */
function textDigest(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** world:anyone with all permissions, recognised from the bytes: no string is made for the ACL everybody sends. */
function isOpen({ perms, id }: NonNullable<AclView>[number]): boolean {
  return perms === Perms.all && isText(id.scheme, 'world') && isText(id.id, 'anyone');
}

/** Whether the slice is this ASCII text. */
function isText(slice: Slice | null, text: string): boolean {
  if (slice === null || slice.length !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (slice.bytes[slice.start + i] !== text.charCodeAt(i)) return false;
  return true;
}
