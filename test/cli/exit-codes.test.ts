import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { jest } from '@jest/globals';
import { freePort } from '../helpers/ports.js';
import type { ServerUnderTest } from '../helpers/processes.js';
import { startZabra } from '../helpers/zabra-server.js';
import { runZabra } from './run-cli.js';

// Each command is a process of its own, which takes a while to start on a machine that is busy.
jest.setTimeout(60_000);

let server: ServerUnderTest;
beforeAll(async () => {
  server = await startZabra();
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

const cli = (...words: string[]) => runZabra(['cli', '-server', server.address, ...words]);

test('0: done, the result on standard output alone', async () => {
  expect(await cli('create', '/done', 'x')).toEqual({ exitCode: 0, stdout: 'Created /done\n', stderr: '' });
  expect(await cli('--', 'get', '/done')).toEqual({ exitCode: 0, stdout: 'x\n', stderr: '' });
  expect(await runZabra(['cli', '-s', `${server.address}/done`, 'create', '-e', '/inner'])).toMatchObject({
    exitCode: 0,
    stdout: 'Created /inner\n',
  });
  expect((await cli('stat', '/done/inner')).exitCode).toBe(1); // the session was closed, not left to expire
});

test('1: refused by the server, on standard error alone', async () => {
  expect(await cli('get', '/none')).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: 'Node does not exist: /none (try: ls /)\n',
  });
});

test('2: not a command, not a flag, nothing to do', async () => {
  expect(await cli('gett', '/')).toMatchObject({ exitCode: 2, stderr: 'Command not found: gett (try: get)\n' });
  expect(await cli('get')).toMatchObject({
    exitCode: 2,
    stderr: 'The path is missing\nUsage: get [-s] [-w] [-b] [-x] [-j] path\n',
  });
  expect(await runZabra(['cli', '--nosuch'])).toMatchObject({ exitCode: 2, stdout: '' });
  expect(await runZabra(['cli', '--timeout', 'soon', 'ls', '/'])).toMatchObject({ exitCode: 2, stdout: '' });
  expect(await runZabra([])).toMatchObject({ exitCode: 2, stdout: '' });
});

test('2: a command that is none, without asking for a server first', async () => {
  expect(await runZabra(['cli', '-server', '127.0.0.1:1', 'gett', '/'])).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: 'Command not found: gett (try: get)\n',
  });
});

test('who waits for a server is told', async () => {
  const { exitCode, stderr } = await runZabra(['cli', '-s', '127.0.0.1:1', '--timeout', '2500', 'ls', '/']);
  expect(exitCode).toBe(3);
  expect(stderr).toContain('No answer from 127.0.0.1:1 yet; trying for 3 s.');
});

test('2: an address that is none', async () => {
  const { exitCode, stderr } = await runZabra(['cli', '-server', 'host:port', 'ls', '/']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('host:port is not a host with a port');
});

test('quit ends it while its standard input is still open', async () => {
  const child = spawn(process.execPath, ['bin/zabra.js', 'cli', '-server', server.address]);
  const exited = once(child, 'exit');
  child.stdin.write('quit\n');
  expect(await exited).toEqual([0, null]);
  child.stdin.destroy();
});

test('ls -R shows what it may, and names what it may not look into', async () => {
  await runZabra(
    ['cli', '-server', server.address],
    'create /tree\ncreate /tree/shut x digest:a:b:r\ncreate /tree/open\ncreate /tree/open/x\n',
  );
  expect(await cli('ls', '-R', '/tree')).toMatchObject({
    exitCode: 0,
    stdout: '/tree\n/tree/open\n/tree/open/x\n/tree/shut\n',
  });
  expect((await cli('ls', '-R', '/tree/shut')).exitCode).toBe(1);
});

test('3: no connection, said in one sentence with the address', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const { exitCode, stdout, stderr } = await runZabra(['cli', '-server', address, '-timeout', '300', 'ls', '/']);
  expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).toContain(address);
  expect(stderr).toContain('zabra server');
});

test('help needs no server, and shows examples', async () => {
  const none = `127.0.0.1:${await freePort()}`;
  expect(await runZabra(['cli', '-server', none, 'help', 'ls'])).toMatchObject({ exitCode: 0 });
  const help = await runZabra(['--help']);
  expect(help).toMatchObject({ exitCode: 0, stderr: '' });
  expect(help.stdout).toContain('zabra cli -- ls /');
  const cliHelp = await runZabra(['cli', '--help']);
  expect(cliHelp).toMatchObject({ exitCode: 0, stderr: '' });
  expect(cliHelp.stdout).toContain('-- get -s /config');
});

test('a script goes on after a failure, and ends with the code of the first one', async () => {
  const script = 'create /script 1\nget /missing\nnonsense\n\n# a remark\nget /script\nquit\nget /script\n';
  const { exitCode, stdout, stderr } = await runZabra(['cli', '-server', server.address], script);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'Created /script\n1\n' });
  expect(stderr.trim().split('\n')).toHaveLength(2);
});

test('--json: one value a command', async () => {
  const script = 'create /json {"a":1}\nget -s /json\nls /json\nget /missing\n';
  const { exitCode, stdout, stderr } = await runZabra(['cli', '-server', server.address, '--json'], script);
  expect(exitCode).toBe(1);
  const values = stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(values).toMatchObject([
    { path: '/json', stat: { version: 0, dataLength: 7 } },
    { path: '/json', data: '{"a":1}', stat: { czxid: expect.stringMatching(/^0x[0-9a-f]+$/) } },
    { path: '/json', children: [] },
  ]);
  expect(JSON.parse(stderr)).toEqual({
    error: { name: 'NoNode', message: 'Node does not exist: /missing (try: ls /)' },
  });
});
