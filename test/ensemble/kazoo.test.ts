/** A client that is not ours keeps its lock, its ephemeral node and its watch while the leader is killed under it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { jest } from '@jest/globals';
import { Ensemble } from '../helpers/ensemble.js';
import { whyNoKazoo } from '../helpers/kazoo.js';

jest.setTimeout(60_000);

const why = whyNoKazoo();

(why === undefined ? test : test.skip)(
  `kazoo keeps what it holds over two changes of the leader${why === undefined ? '' : ` (skipped: ${why})`}`,
  async () => {
    await using ensemble = await Ensemble.start();
    const script = resolve('test/ensemble/kazoo_failover.py');
    const child = spawn('/usr/bin/python3', ['-B', script, ensemble.connectString]);
    try {
      let complaints = '';
      child.stderr.on('data', (text) => {
        complaints += text;
      });
      const lines: string[] = [];
      createInterface(child.stdout).on('line', (line) => lines.push(line));
      const exited = once(child, 'exit');
      const says = (count: number) =>
        ensemble.until(() => {
          if (lines.length >= count) return lines[count - 1];
          if (child.exitCode !== null) throw new Error(`kazoo ended: ${complaints}`);
          return undefined;
        }, `kazoo says nothing; so far ${lines} ${complaints}`);

      expect(await says(1)).toBe('ready');
      let said = 1;
      for (let round = 1; round <= 2; round++) {
        const leader = await ensemble.serving();
        await leader.kill();
        child.stdin.write(`${round}a\n`);
        expect(await says(++said)).toMatch(/^held/);
        await leader.start();
        await ensemble.serving();
        child.stdin.write(`${round}b\n`);
        expect(await says(++said)).toMatch(/^held/);
      }
      expect(lines.at(-1)).toContain('SUSPENDED CONNECTED');
      child.stdin.end();
      const [exitCode] = await exited;
      if (exitCode !== 0) throw new Error(`kazoo ended with ${exitCode}: ${complaints}`);
      await ensemble.expectSameTrees();
    } finally {
      child.kill('SIGKILL');
    }
  },
);
