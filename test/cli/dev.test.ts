// `zabra dev` as a person uses it: starts, can be connected to, survives the end of its leader, stops on Ctrl-C.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { jest } from '@jest/globals';
import { membersOf, takenPort } from '../../src/cli/dev/layout.js';
import { connect } from '../../src/client/index.js';
import { freePort, LOOPBACK } from '../helpers/ports.js';
import { removeDirectory, temporaryDirectory, waitFor } from '../helpers/processes.js';
import { runZabra } from './run-cli.js';

jest.setTimeout(60_000);

const directories: string[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  for (const directory of directories.splice(0)) removeDirectory(directory);
});

/** A first port behind which all that `dev` needs are free. */
async function firstPort(): Promise<number> {
  for (;;) {
    const port = Math.min(await freePort(), 60_000);
    const wanted = membersOf({ servers: 3, observers: 1, directory: '', port, tickTimeMs: 1 });
    if ((await takenPort(wanted)) === undefined) return port;
  }
}

class Dev {
  output = '';
  readonly child: ChildProcess;
  readonly exited: Promise<unknown[]>;

  constructor(
    readonly port: number,
    args: readonly string[],
    readonly directory = temporaryDirectory('zabra-dev'),
  ) {
    directories.push(directory);
    const flags = ['--dir', directory, '--port', String(port), '--tick-time', '300', ...args];
    this.child = spawn(process.execPath, [resolve('bin/zabra.js'), 'dev', ...flags]);
    children.push(this.child);
    this.child.stdout?.on('data', (text) => {
      this.output += text;
    });
    this.child.stderr?.on('data', (text) => {
      this.output += text;
    });
    this.exited = once(this.child, 'exit');
  }

  says(pattern: RegExp): Promise<RegExpExecArray> {
    return waitFor(
      () => pattern.exec(this.output) ?? undefined,
      20_000,
      () => `zabra dev does not say ${pattern}:\n${this.output}`,
    );
  }

  /** The process of the server with this number, the last one it had. */
  pidOf(id: string): number {
    return Number([...this.output.matchAll(new RegExp(`^\\[${id}\\] runs as process (\\d+)$`, 'gm'))].at(-1)?.[1]);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('three servers and an observer: one is killed, another takes over, it comes back, and Ctrl-C ends all', async () => {
  const dev = new Dev(await firstPort(), ['--observers', '1']);
  const [, leader] = await dev.says(/^\[(\d)\] leads$/m);
  await dev.says(/^\[4\] observes$/m);
  for (const id of ['1', '2', '3'].filter((one) => one !== leader)) {
    await dev.says(new RegExp(`^\\[${id}\\] follows$`, 'm'));
  }
  const [, connectString] = await dev.says(/npx zabra cli -server (\S+)\n/);
  expect(connectString.split(',')).toEqual([0, 1, 2, 3].map((i) => `${LOOPBACK}:${dev.port + i}`));
  await using client = await connect(connectString, { sessionTimeoutMs: 5000 });
  await client.create('/mine', 'x', { ephemeral: true });

  process.kill(dev.pidOf(leader), 'SIGKILL');
  await dev.says(new RegExp(`^\\[${leader}\\] ended \\(SIGKILL\\); starting it again in a second$`, 'm'));
  await dev.says(new RegExp(`SIGKILL[^]*^\\[[^${leader}]\\] leads$`, 'm'));
  await dev.says(new RegExp(`SIGKILL[^]*^\\[${leader}\\] follows$`, 'm'));
  expect(await client.exists('/mine')).toMatchObject({ ephemeralOwner: client.session.id });

  const pids = ['1', '2', '3', '4'].map((id) => dev.pidOf(id));
  expect(pids.map(isAlive)).toEqual([true, true, true, true]);
  dev.child.kill('SIGINT');
  expect(await dev.exited).toEqual([0, null]);
  expect(pids.map(isAlive)).toEqual([false, false, false, false]);
  expect(dev.output).toMatch(/Stopping; the data stay\.\n$/);
  expect(dev.output).not.toContain('\x1b'); // it is no terminal
  expect(readFileSync(join(dev.directory, '1', 'server.log'), 'utf8')).toContain('"message":"stopped"');
});

test('one server keeps its data from start to start, and is not mixed with others', async () => {
  const port = await firstPort();
  const first = new Dev(port, ['--servers', '1']);
  await first.says(/^\[1\] serves$/m);
  const client = await connect(`${LOOPBACK}:${port}`);
  await client.create('/kept');
  await client.close();
  first.child.kill('SIGTERM');
  expect(await first.exited).toEqual([0, null]);

  const others = await runZabra(['dev', '--dir', first.directory, '--port', String(port)]);
  expect(others).toMatchObject({ exitCode: 1, stdout: '' });
  expect(others.stderr).toContain('holds the data of --servers 1: say that, choose another --dir, or remove it');

  const again = new Dev(port, ['--servers', '1'], first.directory);
  await again.says(/^\[1\] serves$/m);
  await using reader = await connect(`${LOOPBACK}:${port}`);
  expect(await reader.exists('/kept')).not.toBeNull();
});

test('what cannot be is told before anything is started', async () => {
  const listener = createServer().listen(await firstPort(), LOOPBACK);
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  const directory = join(temporaryDirectory('zabra-dev'), 'none');
  directories.push(resolve(directory, '..'));
  const taken = await runZabra(['dev', '--dir', directory, '--port', String(port)]);
  listener.close();
  expect(taken).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: `zabra: port ${port} is in use: choose others with --port (try: zabra dev --help)\n`,
  });
  for (const flags of [
    ['--servers', '0'],
    ['--servers', '2.5'],
    ['--observers', '-1'],
    ['--port', '70000'],
  ]) {
    const refused = await runZabra(['dev', '--dir', directory, ...flags]);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toMatch(new RegExp(`^zabra: ${flags[0]} is a number from \\d to \\d+ `));
  }
  expect(existsSync(directory)).toBe(false);
});

test('its help has examples', async () => {
  const { exitCode, stdout } = await runZabra(['dev', '--help']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/Examples:\n\s+zabra dev\s+three servers on 127\.0\.0\.1:2181, 2182 and 2183\n/);
});
