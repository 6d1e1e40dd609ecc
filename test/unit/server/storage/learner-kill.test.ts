/** SIGKILL while a learner is synchronised (E83): what is found is always a state it went through, none of them skipped. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { bytesOf, newDirectory, openEngine, ranges, removeDirectories } from './fixtures.js';

const ROUNDS = 8;
const EPOCH = 2 ** 32;
const CHILD = fileURLToPath(new URL('./learner-child.js', import.meta.url));

afterAll(removeDirectories);

/** Runs the child until it has printed `count` epochs and `delayMs` more; the last it printed. */
async function syncAndKill(directory: string, count: number, delayMs: number): Promise<number> {
  const child = spawn(process.execPath, [CHILD, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let output = '';
  let isDying = false;
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    output += text;
    if (isDying || output.split('\n').length <= count) return;
    isDying = true;
    setTimeout(() => child.kill('SIGKILL'), delayMs);
  });
  const [, signal] = await closed;
  expect(signal).toBe('SIGKILL');
  return Math.max(...output.slice(0, output.lastIndexOf('\n')).split('\n').map(Number));
}

/** The log's ends behind the checkpoint's zxid, while the learner goes from `epoch - 1` to `epoch`; counters only. */
const LOGS = ['', '4', '4 9', '4', '4 6', '4 6 30'];

test('the current epoch is never stored ahead of its history, nor anything lost that it stands for', async () => {
  const directory = newDirectory();
  for (let round = 0; round < ROUNDS; round++) {
    const acknowledged = await syncAndKill(directory, 2 + round, (round * 7) % 5);
    const engine = openEngine(directory);
    const { accepted, current } = engine.epochs;
    expect(current).toBeGreaterThanOrEqual(acknowledged);
    expect([current, current + 1]).toContain(accepted);
    const checkpointEpoch = Math.floor(engine.checkpointZxid / EPOCH);
    expect(engine.checkpointZxid % EPOCH).toBe(20);
    expect(Buffer.from(engine.checkpointHeader).toString()).toBe(`${checkpointEpoch}`);
    const pages = engine.pages.read(0, 1e9);
    expect(pages.map(({ page }) => page)).toEqual([0, 1, 2, 3].map((page) => page + (checkpointEpoch % 3)));
    for (const { bytes } of pages) expect(Buffer.compare(bytes, bytesOf(checkpointEpoch, 9000))).toBe(0);
    const ends = ranges(engine.log.read(0, 1e9)).map(([, last]) => last);
    if (checkpointEpoch === current) {
      expect(ends[0]).toBe(current * EPOCH + 22);
      for (const end of ends.slice(1)) expect(Math.floor(end / EPOCH)).toBe(accepted);
      expect(LOGS).toContain(
        ends
          .slice(1)
          .map((end) => end % EPOCH)
          .join(' '),
      );
    } else {
      // The copy of the next epoch is there, and that epoch not yet the current one.
      expect(checkpointEpoch).toBe(current + 1);
      expect(['', '22']).toContain(ends.map((end) => end % EPOCH).join(' '));
    }
    engine.close();
  }
}, 60_000);
