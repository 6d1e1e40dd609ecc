// Every example, as its head comment says to run it, on a real server: it must end by itself and print what it promises.

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ServerUnderTest } from '../helpers/processes.js';
import { startZabra } from '../helpers/zabra-server.js';

const EXAMPLES = resolve('examples');

/** What must be seen of each; a line is enough, since the order among processes is theirs. */
const PROMISES: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  quickstart: [
    /^created \/quickstart-\d{10}$/m,
    'it holds "hello", version 0',
    'changed to "hello again"',
    'exists: false',
  ],
  lock: [/^(?:(\w+) has the lock\n\1 is done\n){5}5 entries\n$/],
  election: [
    /^(?:(?:observer: .*\n)*(\w+) leads\n(?:observer: .*\n)*\1 resigns\n){3}/,
    /^observer: \w+ leads$/m,
    'observer: nobody leads',
  ],
  failover: [/^step 1$/m, /^20 steps, written 20 times, in one session$/m],
  barrier: [/^the gate opens\n(worker \d begins round 1\n){3}(worker \d begins round 2\n){3}all rounds are done\n$/],
  'config-watch': [/^configuration: .*red.*\nconfiguration: .*green.*\nconfiguration: .*blue.*\n$/],
  'service-discovery': [
    "[ 'api-1 at 127.0.0.1:8001' ]\n[ 'api-1 at 127.0.0.1:8001', 'api-2 at 127.0.0.1:8002' ]\n[ 'api-2 at 127.0.0.1:8002' ]",
  ],
};

let server: ServerUnderTest;
beforeAll(async () => {
  server = await startZabra();
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

function run(name: string): Promise<{ exitCode: number | string | null | undefined; stdout: string; stderr: string }> {
  return new Promise((settle) => {
    const options = { timeout: 60_000, killSignal: 'SIGKILL' } as const;
    execFile(
      process.execPath,
      [resolve(`dist/examples/${name}.js`), server.address],
      options,
      (error, stdout, stderr) => {
        settle({ exitCode: error === null ? 0 : (error.code ?? error.signal), stdout, stderr });
      },
    );
  });
}

const names = readdirSync(EXAMPLES)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length));

test('there are no others', () => {
  expect(names.sort()).toEqual(Object.keys(PROMISES).sort());
});

test.each(names)(
  '%s',
  async (name) => {
    expect(readFileSync(resolve(EXAMPLES, `${name}.ts`), 'utf8')).toContain(
      `node dist/examples/${name}.js [host:port]`,
    );
    const { exitCode, stdout, stderr } = await run(name);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const promise of PROMISES[name]) expect(stdout).toMatch(promise);
  },
  90_000,
);
