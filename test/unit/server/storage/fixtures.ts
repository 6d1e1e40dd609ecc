/** What the storage tests share: directories that go away, bytes that can be recognised, whole streams as arrays. */
import { closeSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine, type EngineOptions } from '../../../../src/server/storage/engine.js';
import type { Page, Recovered, StoredBatch } from '../../../../src/server/storage/index.js';

const directories: string[] = [];

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'zabra-storage-'));
  directories.push(directory);
  return directory;
}

export function removeDirectories(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

/** `byteCount` bytes that depend on `seed` and position. */
export function bytesOf(seed: number, byteCount: number): Uint8Array {
  return Uint8Array.from({ length: byteCount }, (_, index) => (seed * 31 + index * 7 + (index >> 8)) & 0xff);
}

export function textBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}

export async function collect<Row>(chunks: AsyncIterable<Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const chunk of chunks) rows.push(...chunk);
  return rows;
}

/** The content of the checkpoint, page number to text. */
export async function pagesAsText(recovered: Recovered): Promise<Record<number, string>> {
  return asText(await collect(recovered.pages()));
}

export function asText(pages: readonly Page[]): Record<number, string> {
  return Object.fromEntries(pages.map(({ page, bytes }) => [page, Buffer.from(bytes).toString()]));
}

export function ranges(batches: readonly StoredBatch[]): [number, number][] {
  return batches.map(({ firstZxid, lastZxid }) => [firstZxid, lastZxid]);
}

export function openEngine(directory: string, options: Partial<EngineOptions> = {}): Engine {
  return Engine.open({
    directory,
    logRetainBytes: 1e9,
    logRetainBatches: 1e9,
    sync: true,
    databaseBytesMax: 0,
    ...options,
  });
}

/** Every write to the open file `name` in `directory` fails from now on, as on a full disk; undone by what is returned. */
export function fillDisk(directory: string, name: string): () => void {
  const path = join(directory, name);
  const fd = Number(readdirSync('/proc/self/fd').find((number) => targetOf(number) === path));
  const redirect = (target: string) => {
    closeSync(fd);
    const taken: number[] = [];
    // The lowest free number is given out first.
    for (let opened = -1; opened !== fd; ) {
      opened = openSync(target, 'r+');
      if (opened !== fd) taken.push(opened);
    }
    for (const other of taken) closeSync(other);
  };
  redirect('/dev/full');
  return () => redirect(path);
}

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}
