/**
 * What is read from the disk at a start: pages and the header of a checkpoint, and batches of the log. Checksums are not
 * part of it: a row is taken as if its sum were right, as it would be had somebody, or a bug, written it so. It is loaded
 * exactly, or refused; loading ends, and takes no more memory than what it reads calls for.
 *
 * An input is the kind of row (one byte: page, header, batch), its number (one byte), and its bytes.
 */
import { decodeBatch } from '../../../protocol/peer/codec.js';
import type { CheckpointPage } from '../../../src/core/io.js';
import { Replica } from '../../../src/core/replica.js';
import { Random } from '../../../src/std/random.js';
import { DEFAULT_REPLICA_OPTIONS } from '../../../src/testing/index.js';
import { stream } from '../client-grammar.js';
import { LocalServer } from '../local-server.js';
import { spoiled } from '../mutate.js';
import { Finding, type Subject, type Target } from '../target.js';
import { feed } from './client-port.js';

const KINDS = 3;
const MEMORY_BYTES_MAX = 268_435_456;

interface Rows {
  readonly header: Uint8Array;
  readonly pages: readonly CheckpointPage[];
  readonly batches: readonly Uint8Array[];
}

/** What some clients have left behind: a checkpoint, and a log that begins with nothing. */
function build(): Rows {
  const server = new LocalServer({ checkpointEntries: 60 });
  const random = new Random(7);
  for (let i = 0; i < 200; i++) feed(server, stream(random), random);
  for (let i = 0; i < 10; i++) server.pass(20);
  const { checkpoint, log } = server;
  if (checkpoint === null) throw new Error('no checkpoint was taken');
  return { header: checkpoint.header, pages: checkpoint.pages, batches: log.slice(0, 40) };
}

let rows: Rows | null = null;

export const database: Target = {
  name: 'database',
  promise: 'a row is loaded or refused, in time and memory that its size explains',
  lanes: 1,
  isInProcess: true,
  generate(random) {
    rows ??= build();
    const kind = random.int(KINDS);
    const list = kind === 0 ? rows.pages.map(({ bytes }) => bytes) : kind === 1 ? [rows.header] : rows.batches;
    const index = random.int(Math.min(256, list.length));
    return Buffer.concat([Buffer.from([kind, index]), spoiled(random, list[index])]);
  },
  start: async () => {
    rows ??= build();
    return new Database(rows);
  },
};

class Database implements Subject {
  private readonly rows: Rows;

  constructor(rows: Rows) {
    this.rows = rows;
    this.load(rows);
  }

  run(input: Uint8Array): void {
    const { pages, batches, header } = this.rows;
    const kind = (input[0] ?? 0) % KINDS;
    const index = input[1] ?? 0;
    const bytes = new Uint8Array(input.subarray(2));
    const before = process.memoryUsage().arrayBuffers;
    try {
      if (kind === 0) {
        const number = index % pages.length;
        this.load({ header, batches: [], pages: pages.map((row, i) => (i === number ? { ...row, bytes } : row)) });
      } else if (kind === 1) this.load({ header: bytes, batches: [], pages });
      else this.replay(batches.map((row, i) => (i === index % batches.length ? bytes : row)));
    } catch (error) {
      // Whatever is wrong with a row makes the database a damaged one: see incarnation.ts.
      if (!(error instanceof Error) || error instanceof Finding) throw error;
    }
    const grown = process.memoryUsage().arrayBuffers - before;
    if (grown > MEMORY_BYTES_MAX) throw new Finding(`${grown} bytes were taken to load a row of ${bytes.length}`);
  }

  private load({ header, pages }: Rows): void {
    const replica = new Replica(DEFAULT_REPLICA_OPTIONS);
    for (const page of pages) replica.loadPage(page);
    replica.finishLoad(header);
    // What was taken can be read: everything that is in the tree is walked over.
    const { tree } = replica.world;
    let nodes = 0;
    for (const page of pages) nodes += page.bytes.length > 0 ? 1 : 0;
    if (tree.nodeCount < 1 || nodes === 0) throw new Finding('an empty tree was taken');
  }

  private replay(batches: readonly Uint8Array[]): void {
    const replica = new Replica(DEFAULT_REPLICA_OPTIONS);
    for (const bytes of batches) replica.recoverBatch(decodeBatch(bytes), bytes);
  }

  check(): void {}

  async stop(): Promise<void> {}
}
