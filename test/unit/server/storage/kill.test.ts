/**
 * SIGKILL in the middle of writing, over and over on the same directory: what was acknowledged is found again, and is
 * missed when the write-ahead log is cut short or deleted.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Storage } from '../../../../src/server/storage/index.js';
import { bytesOf, collect, newDirectory, openEngine, removeDirectories } from './fixtures.js';

const ROUNDS = 6;
const CHILD = fileURLToPath(new URL('./writer-child.js', import.meta.url));

afterAll(removeDirectories);

/** Runs the child until it has acknowledged `count` reports, kills it; the last zxid it printed. */
async function writeAndKill(directory: string, count: number): Promise<number> {
  const child = spawn(process.execPath, [CHILD, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let output = '';
  let isKilled = false;
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    output += text;
    if (!isKilled && output.split('\n').length > count) isKilled = child.kill('SIGKILL');
  });
  const [, signal] = await closed;
  expect(signal).toBe('SIGKILL');
  return Math.max(...output.slice(0, output.lastIndexOf('\n')).split('\n').map(Number));
}

/** What becomes of a copy whose WAL is cut to `fraction` of its length, or deleted at 0: the last zxid, or the refusal. */
function endWithoutWal(directory: string, fraction: number): number | string {
  const copy = newDirectory();
  cpSync(directory, copy, { recursive: true });
  const wal = join(copy, 'zabra.db-wal');
  if (fraction === 0) rmSync(wal);
  else truncateSync(wal, Math.floor(statSync(wal).size * fraction));
  try {
    const engine = openEngine(copy);
    engine.abort();
    return engine.log.totals.lastZxid;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test('acknowledged batches survive, and a checkpoint is there as a whole', async () => {
  const directory = newDirectory();
  let checkpoints = 0;
  let missed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const acknowledged = await writeAndKill(directory, 20 + round * 37);
    const ends = [0, 0.02, 0.2, 0.5, 0.9].map((fraction) => endWithoutWal(directory, fraction));
    for (const end of ends) if (end !== 'DAMAGED') expect(end).toBeGreaterThanOrEqual(acknowledged);
    // Not each time: the process may have been killed just when the WAL had been copied, and nothing is missing then.
    if (ends[0] === 'DAMAGED') missed++;
    const { storage, recovered } = await Storage.open({ directory });
    expect(recovered.lastZxid).toBeGreaterThanOrEqual(acknowledged);
    const checkpointZxid = recovered.checkpoint?.zxid ?? 0;
    let expectedZxid = checkpointZxid + 1;
    for (const { firstZxid, bytes } of await collect(recovered.batches())) {
      expect(firstZxid).toBe(expectedZxid++);
      expect(Buffer.compare(bytes, bytesOf(firstZxid, 200 + (firstZxid % 7) * 3000))).toBe(0);
    }
    expect(expectedZxid).toBe(recovered.lastZxid + 1);
    const pages = await collect(recovered.pages());
    expect(pages).toHaveLength(checkpointZxid > 0 ? 12 : 0);
    for (const { page, bytes } of pages) expect(Buffer.compare(bytes, bytesOf(checkpointZxid + page, 5000))).toBe(0);
    if (checkpointZxid > 0) checkpoints++;
    await storage.close();
  }
  expect(checkpoints).toBeGreaterThan(0);
  expect(missed).toBeGreaterThan(0);
}, 60_000);
