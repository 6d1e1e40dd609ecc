/** SIGKILL in the middle of writing, over and over on the same directory: what was acknowledged is found again. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Storage } from '../../../../src/server/storage/index.js';
import { bytesOf, collect, newDirectory, removeDirectories } from './fixtures.js';

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

test('acknowledged batches survive, and a checkpoint is there as a whole', async () => {
  const directory = newDirectory();
  let checkpoints = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const acknowledged = await writeAndKill(directory, 20 + round * 37);
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
}, 60_000);
