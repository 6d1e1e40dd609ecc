// What all queues have in common: where entries are, how one is put in exactly once, and how one is taken so that it is
// neither lost when the taker dies nor held by two.
//
//   <queue>/entries/<key>-<number>   an item, until it is acknowledged. The key says what comes first, the number who
//                                    came first among equals
//   <queue>/taken/<the same name>    ephemeral: its taker's claim. It goes with the taker's session, and the item is free
//   <queue>/writers/                 see once.ts
//   <queue>/takers/                  a lock: of those who wait for an item only the first one watches, so a new item wakes one
//
//   take ──▶ free item? claim it in one transaction with a check that it is still there ──▶ work ──▶ acknowledge: item and
//             │ none                                                                               claim go in one transaction
//             └──▶ wait in line ──▶ first: watch entries and claims ──▶ look again

import { type Acl, type Client, type Data, type Transaction, ZooKeeperError } from '../../client/index.js';
import { firstOf } from '../bell.js';
import { ensureDirectory } from '../directory.js';
import { insist } from '../insist.js';
import { Lock } from '../lock.js';
import { OnceWriter } from '../once.js';
import { compareSequence } from '../sequence.js';
import type { GuardOptions } from '../session-guard.js';
import { abortable, orNull, PATIENT, persist, watched } from '../waiting.js';
import { QueueItem } from './item.js';

export interface QueueOptions extends GuardOptions {
  /** Of the nodes it makes. Default OPEN_ACL. Those who put and take need all permissions of each other's. */
  readonly acl?: readonly Acl[] | undefined;
}

export interface Entry {
  readonly name: string;
  /** What stands before the number, without the hyphen. */
  readonly key: string;
}

/** How many claims a client has tried: a claim of the same session may be another taker's. */
const CLAIMS = new WeakMap<Client, number>();

/** The line of entries of one queue, for the queues to build on. */
export class EntryLine {
  readonly client: Client;
  readonly #path: string;
  readonly #options: QueueOptions;
  readonly #writer: OnceWriter;
  readonly #takers: Lock;
  #made: Promise<void> | undefined;

  constructor(client: Client, path: string, options: QueueOptions) {
    this.client = client;
    this.#path = path;
    this.#options = options;
    this.#writer = new OnceWriter(client, `${path}/writers`, options.acl);
    this.#takers = new Lock(client, `${path}/takers`, { acl: options.acl });
  }

  get entriesPath(): string {
    return `${this.#path}/entries`;
  }

  /** Puts items in, all or none, and in this order. Exactly once; rejects with maybeApplied when that cannot be known. */
  async put(items: readonly { readonly key: string; readonly data: Data }[], signal: AbortSignal | undefined) {
    const { acl } = this.#options;
    for (;;) {
      await abortable(this.make(), signal);
      try {
        await this.#writer.commit((transaction) => {
          let filled: Transaction<readonly unknown[]> = transaction;
          for (const { key, data } of items) {
            filled = filled.create(`${this.entriesPath}/${key}-`, data, { mode: 'persistent-sequential', acl });
          }
          return filled as Transaction<never>;
        }, signal);
        return;
      } catch (error) {
        if (!ZooKeeperError.is(error, 'NoNode') || (error.operationIndex ?? 0) === 0) throw error;
        this.#made = undefined; // somebody has deleted the queue
      }
    }
  }

  /** Takes the item that `choose` says, when there is one. Rejects with the signal's reason, and then holds none. */
  take(choose: Chooser, signal: AbortSignal | undefined): Promise<QueueItem> {
    return insist(this.client, () => this.#take(choose, signal), signal);
  }

  async #take(choose: Chooser, signal: AbortSignal | undefined): Promise<QueueItem> {
    const free = await this.tryTake(choose, signal);
    if (free !== null) return free;
    for (;;) {
      await using place = await this.#takers.acquire({ signal });
      const item = await this.#takeFirst(choose, place.signal, signal);
      if (item !== null) return item;
    }
  }

  /** The item that `choose` says, or null when it says none. */
  async tryTake(choose: Chooser, signal: AbortSignal | undefined): Promise<QueueItem | null> {
    await abortable(this.make(), signal);
    const lost = new Set<string>();
    const read = (directory: string) => {
      const path = `${this.#path}/${directory}`;
      return orNull(persist(this.client, () => this.client.children(path, { ...PATIENT, signal }), signal));
    };
    for (;;) {
      const [entries, taken] = await Promise.all([read('entries'), read('taken')]);
      const free = freeOf(entries ?? [], taken ?? []).filter(({ name }) => !lost.has(name));
      const { entry } = choose(free);
      if (entry === undefined) return null;
      const item = await this.#claim(entry, signal);
      if (item !== null) return item;
      lost.add(entry.name);
    }
  }

  /** How many items there are, those that are taken included. */
  async length(): Promise<number> {
    return (await this.client.exists(this.entriesPath))?.numChildren ?? 0;
  }

  close(): Promise<void> {
    return this.#writer.close();
  }

  /** Makes the queue's directories: they have to stay, or the numbers would begin again. */
  make(): Promise<void> {
    const { acl } = this.#options;
    this.#made ??= (async () => {
      await ensureDirectory(this.client, this.entriesPath, { acl, mode: 'persistent' });
      await ensureDirectory(this.client, `${this.#path}/taken`, { acl, mode: 'persistent' });
    })();
    this.#made.catch(() => {
      this.#made = undefined;
    });
    return this.#made;
  }

  /** As the first of those who wait; null when the place in the line is lost. */
  async #takeFirst(choose: Chooser, place: AbortSignal, signal: AbortSignal | undefined): Promise<QueueItem | null> {
    const { client } = this;
    while (!place.aborted) {
      const entries = await watched(client, this.entriesPath, (o) => client.children(this.entriesPath, o), signal);
      const takenPath = `${this.#path}/taken`;
      const taken = await watched(client, takenPath, (o) => client.children(takenPath, o), signal);
      try {
        if (entries === null || taken === null) {
          this.#made = undefined;
          await abortable(this.make(), signal);
          continue;
        }
        const { entry, wait } = choose(freeOf(entries.value, taken.value));
        if (entry !== undefined) {
          const item = await this.#claim(entry, signal);
          if (item !== null) return item;
          continue;
        }
        await firstOf(
          signal,
          (over) => entries.change.wait(over),
          (over) => taken.change.wait(over),
          (over) => aborted(place, over),
          ...(wait === undefined ? [] : [wait]),
        );
      } finally {
        entries?.change.end();
        taken?.change.end();
      }
    }
    return null;
  }

  /** Null when somebody else has it. When the caller aborts, the claim is finished behind his back and given up. */
  async #claim(entry: Entry, signal: AbortSignal | undefined): Promise<QueueItem | null> {
    const claiming = this.#claimUnhurried(entry);
    try {
      return await abortable(claiming, signal);
    } catch (error) {
      if (signal?.aborted === true) claiming.then((item) => item?.release()).catch(() => {});
      throw error;
    }
  }

  async #claimUnhurried({ name, key }: Entry): Promise<QueueItem | null> {
    const { client } = this;
    const { acl } = this.#options;
    const entryPath = `${this.entriesPath}/${name}`;
    const claimPath = `${this.#path}/taken/${name}`;
    const count = (CLAIMS.get(client) ?? 0) + 1;
    CLAIMS.set(client, count);
    let isInDoubt = false;
    const mark = `${client.session.id.toString(16)}-${count}`;
    for (;;) {
      try {
        const transaction = client.transaction().check(entryPath).create(claimPath, mark, { mode: 'ephemeral', acl });
        await transaction.commit(PATIENT);
      } catch (error) {
        if (ZooKeeperError.is(error, 'NoNode')) return null;
        // In doubt, or there is a claim: it may be this very one, whose answer was lost.
        const isOpen = ZooKeeperError.is(error, 'NodeExists', 'ConnectionLoss', 'SessionExpired');
        if (!isOpen || client.state === 'CLOSED') throw error;
        isInDoubt = true;
      }
      const [claim, item] = await persist(client, () =>
        client.multiRead([{ get: claimPath }, { get: entryPath }], PATIENT),
      );
      if ('data' in claim && claim.data?.toString() !== mark) return null;
      if (!('data' in item)) {
        if (ZooKeeperError.is(item, 'NoNode')) return null; // nor is there a claim: the check would have failed
        throw item;
      }
      if ('data' in claim) {
        if (claim.stat.ephemeralOwner !== client.session.id) {
          // The session was lost meanwhile, and the claim may outlive it for a while.
          await orNull(persist(client, () => client.delete(claimPath, PATIENT)));
          return null;
        }
        // The answer that was lost would have proved that the session is alive.
        if (isInDoubt) await persist(client, () => client.sync(claimPath, PATIENT));
        const place = { client, entryPath, claimPath, key };
        return new QueueItem(place, item, claim.stat, this.#options);
      }
    }
  }
}

/** An entry to claim; or else what may bring one, beside a change of the queue. */
export interface Choice {
  readonly entry?: Entry | undefined;
  readonly wait?: ((signal: AbortSignal) => Promise<void>) | undefined;
}

/** Chooses among the entries that nobody has claimed; they are sorted. */
export type Chooser = (free: readonly Entry[]) => Choice;

/** Entries that nobody has claimed, the first one first. */
function freeOf(names: readonly string[], taken: readonly string[]): Entry[] {
  const claimed = new Set(taken);
  const entries: (Entry & { readonly sequence: number })[] = [];
  for (const name of names) {
    const match = /^(.+?)-(-?\d{10})$/.exec(name);
    if (match !== null && !claimed.has(name)) entries.push({ name, key: match[1], sequence: Number(match[2]) });
  }
  return entries.sort((a, b) => (a.key === b.key ? compareSequence(a.sequence, b.sequence) : a.key < b.key ? -1 : 1));
}

/** Resolves when `place` aborts. Rejects with the reason of `over`. */
async function aborted(place: AbortSignal, over: AbortSignal): Promise<void> {
  const both = AbortSignal.any([place, over]);
  await abortable(new Promise<never>(() => {}), both).catch((error) => {
    if (over.aborted) throw error;
  });
}
