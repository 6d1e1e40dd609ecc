// The engine of the caches: a copy of one node or of a whole subtree that follows it through a persistent watch.
//
//   event ──▶ a mark on its path ──▶ read what is marked ──▶ staged ──▶ nothing marked? ── yes ──▶ published
//                                            ▲                                │ no
//                                            └────────────────────────────────┘
//
// Replies and events come in one order, and an event before any reply that shows its change (E59). So when all that is
// marked has been read and no mark has come in meanwhile, what is staged over what was published is the state of the tree
// at one zxid, and is published as a whole: no reader sees an effect without what was before it. A read that an event has
// overtaken counts only if its zxid says that it is the newer one (servers before 3.9 send none: then it is read again).
//
// A watch reports nothing of the time without connection (E63). After a gap the copy is compared with the tree, by the
// Stat of each node: data is read again where mzxid differs, and lists of children where pzxid is not that of the list
// that was read last (not that of the node: a read that was repeated over the gap brings a new Stat, but no children).
// All the while, and for as long as the service is away, the last published state stays.

import { type CallOptions, type Client, type Stat, type WatchEvent, ZooKeeperError } from '../../client/index.js';
import { Bell, Deferred } from '../bell.js';
import { insist } from '../insist.js';
import { abortable, PATIENT } from '../waiting.js';
import { type CachedNode, type CacheUpdate, changesBetween, UnseenChanges } from './changes.js';

/** Reads that are under way at once. */
const READS_MAX = 500;
/** Rounds of reading that may be outrun by changes, before what was read is published all the same. */
const ROUNDS_MAX = 10;
/** How long close() waits for a server to take the watch away. */
const FORGET_TIMEOUT_MS = 1000;

/** A path whose node has changed since it was staged. */
interface Mark {
  /** Counts the marks: one that is higher than when a read was sent may be of a later change than the read shows. */
  readonly sequence: number;
  /** zxid of the change; negative when it is not known. */
  readonly zxid: bigint;
  readonly isDeleted: boolean;
}

interface List {
  readonly children: readonly string[];
  readonly stat: Stat;
}

export class Mirror {
  /** What is published. */
  readonly nodes = new Map<string, CachedNode>();
  /** Resolves at the first publication. Rejects with what made that impossible. */
  readonly ready: Promise<void>;

  readonly #client: Client;
  readonly #root: string;
  readonly #isRecursive: boolean;
  readonly #children = new Map<string, Set<string>>();
  readonly #staged = new Map<string, CachedNode | null>();
  readonly #marks = new Map<string, Mark>();
  /** pzxid of each node whose children were all known at that moment. */
  readonly #listed = new Map<string, bigint>();
  readonly #listeners = new Set<(update: CacheUpdate) => void>();
  readonly #bell = new Bell();
  readonly #readers = new Set<Bell>();
  readonly #ready = new Deferred();
  readonly #closing = new AbortController();
  readonly #unsubscribe: () => void;
  readonly #running: Promise<void>;
  #sequence = 0;
  #isWatching = false;
  /** Events may have been missed since the copy was compared with the tree. */
  #hasGap = true;
  /** When what is published was the state of the tree for the last time that is known; undefined while it is. */
  #behindSinceMs: number | undefined = Number.NEGATIVE_INFINITY;
  #error: unknown;

  constructor(client: Client, root: string, isRecursive: boolean) {
    this.#client = client;
    this.#root = root;
    this.#isRecursive = isRecursive;
    this.ready = this.#ready.promise;
    this.#unsubscribe = client.onState(({ state }) => {
      if (state === 'SUSPENDED' || state === 'LOST' || state === 'CLOSED') this.#fallBehind();
      if (state !== 'CLOSED') return;
      this.#hasGap = true; // the attempt to close it ends the run with the reason
      this.#bell.ring();
    });
    this.#running = this.#run();
  }

  /**
   * How old what is published may be, in milliseconds: how long ago a server was last heard that had this state. Grows
   * while there is no connection; Infinity before the first publication.
   */
  get ageMs(): number {
    if (this.#behindSinceMs === undefined) return this.#client.silentForMs;
    return this.#client.clock.nowMs() - this.#behindSinceMs;
  }

  /** It follows the tree at this moment. */
  get isFresh(): boolean {
    return this.#behindSinceMs === undefined;
  }

  /** Names of the published children of a node. */
  children(path: string): string[] {
    return [...(this.#children.get(path) ?? [])];
  }

  /** Calls back within each publication, after it has become visible. */
  onUpdate(listener: (update: CacheUpdate) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** First all that is published, as added; then every change. Ends with close(); rejects with the signal's reason. */
  async *updates(signal: AbortSignal | undefined): AsyncGenerator<CacheUpdate, void, void> {
    const bell = new Bell();
    const unseen = new UnseenChanges();
    await abortable(
      this.ready.catch(() => {}),
      signal,
    );
    this.#readers.add(bell);
    const stopListening = this.onUpdate((update) => {
      unseen.add(update);
      bell.ring();
    });
    try {
      unseen.add({ changes: changesBetween([...this.nodes.values()].map((node) => [null, node])), isSnapshot: true });
      for (let isFirst = true; ; isFirst = false) {
        if (this.#closing.signal.aborted) return;
        if (this.#error !== undefined) throw this.#error;
        const update = unseen.take();
        if (isFirst || update.changes.length > 0) yield update;
        await bell.wait(signal);
      }
    } finally {
      stopListening();
      this.#readers.delete(bell);
    }
  }

  /** Stops following; what is published stays. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#unsubscribe();
    this.#fallBehind();
    await this.#running;
    await this.#forgetWatch();
  }

  // --- from events to marks

  readonly #watcher = (event: WatchEvent): void => {
    if (event.type === 'childrenChanged' || this.#closing.signal.aborted) return;
    this.#fallBehind();
    if (event.type === 'gap') this.#hasGap = true;
    else if (event.type === 'removed') this.#isWatching = false;
    else this.#mark(event.path, event.zxid, event.type === 'deleted');
    this.#bell.ring();
  };

  #mark(path: string, zxid: bigint, isDeleted: boolean): void {
    this.#marks.set(path, { sequence: ++this.#sequence, zxid, isDeleted });
  }

  // --- from marks to what is staged

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    try {
      for (;;) {
        await this.#catchUp();
        await this.#bell.wait(signal);
      }
    } catch (error) {
      this.#fallBehind();
      if (signal.aborted) this.#ready.reject(new ZooKeeperError('ClientClosed', { text: 'the cache is closed' }));
      else {
        this.#error = error;
        this.#ready.reject(error);
      }
      for (const reader of this.#readers) reader.ring();
    }
  }

  async #catchUp(): Promise<void> {
    for (let round = 1; ; round++) {
      if (!this.#isWatching) await this.#watch();
      if (this.#hasGap) await this.#compare();
      await this.#readMarked(round > 1);
      if (this.#hasGap || !this.#isWatching) continue;
      if (this.#marks.size === 0) return this.#publish(true);
      if (round % ROUNDS_MAX === 0) this.#publish(false);
    }
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    const options = { ...PATIENT, recursive: this.#isRecursive, signal };
    await insist(this.#client, () => this.#client.addWatch(this.#root, this.#watcher, options), signal);
    this.#isWatching = true;
    this.#hasGap = true;
  }

  /** Reads what is marked; `again` also what is staged, since what changed before may have changed again. */
  async #readMarked(again: boolean): Promise<void> {
    const paths: string[] = [];
    for (const [path, { isDeleted }] of this.#marks) {
      if (!isDeleted) paths.push(path);
      else {
        this.#staged.set(path, null);
        this.#marks.delete(path);
      }
    }
    if (again && paths.length > 0 && paths.length + this.#staged.size <= READS_MAX) {
      for (const [path, node] of this.#staged) if (node !== null && !this.#marks.has(path)) paths.push(path);
    }
    await this.#inParts(paths, (path) => this.#get(path), this.#stage);
  }

  /** Finds out what has changed since the last publication, with no help of events. */
  async #compare(): Promise<void> {
    this.#hasGap = false;
    const known: CachedNode[] = [];
    for (const path of new Set([...this.nodes.keys(), ...this.#staged.keys()])) {
      const node = this.#latest(path);
      if (node !== null) known.push(node);
    }
    const unknown = [...this.#marks.keys()].filter((path) => this.#latest(path) === null);
    if (this.#latest(this.#root) === null) unknown.push(this.#root);
    const parents: string[] = [];
    await this.#inParts(
      known,
      ({ path }) => this.#stat(path),
      (node, stat, sentAt) => {
        const { path } = node;
        if (stat === null) this.#stage(path, null, sentAt);
        else {
          const isOvertaken = (this.#marks.get(path)?.sequence ?? 0) > sentAt;
          if (stat.mzxid !== node.stat.mzxid && !isOvertaken) this.#mark(path, -1n, false);
          else if (stat.mzxid === node.stat.mzxid) this.#stage(path, { ...node, stat }, sentAt);
          if (stat.pzxid !== this.#listed.get(path)) parents.push(path);
        }
      },
    );
    if (this.#isRecursive) {
      await this.#inParts(
        parents,
        (path) => this.#list(path),
        (path, list) => unknown.push(...this.#unknownAmong(path, list)),
      );
    }
    await this.#walk(unknown);
  }

  /** Reads nodes that are not known yet, and all below them. */
  async #walk(paths: readonly string[]): Promise<void> {
    for (let level = paths; level.length > 0; ) {
      const next: string[] = [];
      await this.#inParts(
        level,
        (path) => Promise.all([this.#get(path), this.#isRecursive ? this.#list(path) : null]),
        (path, [node, list], sentAt) => {
          this.#stage(path, node, sentAt);
          next.push(...this.#unknownAmong(path, list));
        },
      );
      level = next;
    }
  }

  /** Takes what a read has found, unless there was an event that it may not show. */
  readonly #stage = (path: string, node: CachedNode | null, sentAt: number): void => {
    const mark = this.#marks.get(path);
    if (mark !== undefined && mark.sequence > sentAt) {
      const isNewer = node !== null && !mark.isDeleted && mark.zxid >= 0n && node.stat.mzxid >= mark.zxid;
      if (!isNewer) return;
    }
    this.#marks.delete(path);
    this.#staged.set(path, node);
  };

  /** Pipelined, but not more than a server likes at once. `take` gets the count of marks from before the read was sent. */
  async #inParts<Item, Found>(
    items: readonly Item[],
    read: (item: Item) => Promise<Found>,
    take: (item: Item, found: Found, sentAt: number) => void,
  ): Promise<void> {
    for (let at = 0; at < items.length; at += READS_MAX) {
      const part = items.slice(at, at + READS_MAX);
      const sentAt = this.#sequence;
      const found = await Promise.all(part.map(read));
      for (let i = 0; i < part.length; i++) take(part[i], found[i], sentAt);
    }
  }

  async #get(path: string): Promise<CachedNode | null> {
    const found = await this.#read((options) => this.#client.get(path, options));
    return found === null ? null : { path, ...found };
  }

  #stat(path: string): Promise<Stat | null> {
    return this.#read((options) => this.#client.exists(path, options));
  }

  #list(path: string): Promise<List | null> {
    return this.#read((options) => this.#client.children(path, { ...options, withStat: true }));
  }

  /** A node that may not be read counts as one that is not there. */
  async #read<T>(call: (options: CallOptions) => Promise<T>): Promise<T | null> {
    const { signal } = this.#closing;
    try {
      return await insist(this.#client, () => call({ ...PATIENT, signal }), signal);
    } catch (error) {
      if (ZooKeeperError.is(error, 'NoNode', 'NoAuth')) return null;
      throw error;
    }
  }

  #latest(path: string): CachedNode | null {
    return this.#staged.get(path) ?? (this.#staged.has(path) ? null : (this.nodes.get(path) ?? null));
  }

  /** Of the children that were listed those that have to be read; the others are known. */
  #unknownAmong(parent: string, list: List | null): string[] {
    if (list === null) return [];
    this.#listed.set(parent, list.stat.pzxid);
    const prefix = parent === '/' ? '/' : `${parent}/`;
    return list.children.map((name) => prefix + name).filter((path) => this.#latest(path) === null);
  }

  // --- from what is staged to what is published

  #publish(isSnapshot: boolean): void {
    for (const [path, node] of this.#staged) if (node !== null && !this.#hasParent(path)) this.#staged.set(path, null);
    const pairs = [...this.#staged].map(([path, node]) => [this.nodes.get(path) ?? null, node] as const);
    const changes = changesBetween(pairs);
    for (const [path, node] of this.#staged) {
      if (node !== null) this.nodes.set(path, node);
      else {
        this.nodes.delete(path);
        this.#listed.delete(path);
      }
    }
    for (const change of changes) this.#index(change.path, change.type);
    this.#staged.clear();
    const { state } = this.#client;
    const isConnected = state === 'CONNECTED' || state === 'RECONNECTED' || state === 'READ_ONLY';
    if (isSnapshot && isConnected) this.#behindSinceMs = undefined;
    this.#ready.resolve();
    if (changes.length === 0) return;
    for (const listener of [...this.#listeners]) tell(() => listener({ changes, isSnapshot }));
  }

  /** Of a node that may not be read, the children are left out too. */
  #hasParent(path: string): boolean {
    return path === this.#root || this.#latest(parentOf(path)) !== null;
  }

  #index(path: string, type: 'added' | 'changed' | 'removed'): void {
    if (path === this.#root || type === 'changed') return;
    const parent = parentOf(path);
    const name = path.slice(path.lastIndexOf('/') + 1);
    const names = this.#children.get(parent) ?? new Set();
    if (type === 'added') names.add(name);
    else names.delete(name);
    if (names.size > 0) this.#children.set(parent, names);
    else this.#children.delete(parent);
  }

  // --- age

  #fallBehind(): void {
    this.#behindSinceMs ??= this.#client.clock.nowMs() - this.#client.silentForMs;
  }

  /** Takes the watch away here in any case, and on the server if there is one; servers before 3.9 know `any` only (E66). */
  async #forgetWatch(): Promise<void> {
    const client = this.#client;
    if (client.state === 'CLOSED') return;
    for (const type of [this.#isRecursive ? 'recursive' : 'persistent', 'any'] as const) {
      try {
        return await client.removeWatches(this.#root, { type, watch: this.#watcher, timeoutMs: FORGET_TIMEOUT_MS });
      } catch (error) {
        if (!ZooKeeperError.is(error, 'MarshallingError')) break;
      }
    }
    await client.removeWatches(this.#root, { watch: this.#watcher, local: true, timeoutMs: 0 }).catch(() => {});
  }
}

/** A listener that throws does not stop the cache; the error goes where errors of callbacks go. */
function tell(call: () => void): void {
  try {
    call();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
