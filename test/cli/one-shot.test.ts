// One command, scripts, and what surrounds them: where the server's address comes from, who one is, what a program reads.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { type Client, connect } from '../../src/client/index.js';
import { Lock } from '../../src/recipes/index.js';
import {
  fourLetterWord,
  removeDirectory,
  type ServerUnderTest,
  temporaryDirectory,
  waitFor,
} from '../helpers/processes.js';
import { startZabra } from '../helpers/zabra-server.js';
import { runZabra } from './run-cli.js';

// Each command is a process of its own, which takes a while to start on a machine that is busy.
jest.setTimeout(60_000);

let server: ServerUnderTest;
let client: Client;
let directory: string;
beforeAll(async () => {
  server = await startZabra();
  client = await connect(server.address);
  directory = temporaryDirectory('zabra-cli');
}, 60_000);
afterAll(async () => {
  await client.close();
  removeDirectory(directory);
  await server[Symbol.asyncDispose]();
});

const cli = (...words: string[]) => runZabra(['cli', '-server', server.address, ...words]);

/** The answers of a script with --json. */
async function answers(script: string): Promise<unknown[]> {
  const { stdout } = await runZabra(['cli', '-server', server.address, '--json'], script);
  return stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

test('the server from the environment or ~/.config/zabra; identities from there as well', async () => {
  const config = join(directory, 'config');
  mkdirSync(config);
  writeFileSync(join(config, 'zabra'), `server = ${server.address}\nauth = digest:ann:secret\n`);
  const script = 'create /hers x auth::cdrwa\nwhoami\n';
  const fromFile = await runZabra(['cli'], script, { XDG_CONFIG_HOME: config });
  expect(fromFile).toMatchObject({ exitCode: 0, stderr: '' });
  expect(fromFile.stdout).toBe('Created /hers\nAuth scheme: User\ndigest: ann\nip: 127.0.0.1\n');
  const fromEnvironment = { ZABRA_SERVER: server.address };
  expect(await runZabra(['cli', 'get', '/hers'], '', fromEnvironment)).toMatchObject({ exitCode: 1 });
  const asAnn = await runZabra(['cli', '--auth', 'digest:ann:secret', 'get', '/hers'], '', fromEnvironment);
  expect(asAnn).toMatchObject({ exitCode: 0, stdout: 'x\n' });
  writeFileSync(join(config, 'zabra'), 'servr = x\n');
  expect(await runZabra(['cli', 'ls', '/'], '', { XDG_CONFIG_HOME: config })).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: `${config}/zabra, line 1: there is no setting servr (try: server)\n`.replace(/^./, (first) =>
      first.toUpperCase(),
    ),
  });
});

test('a script from a file, texts over several lines in it; a quote that is left open is told', async () => {
  const file = join(directory, 'script');
  writeFileSync(file, "# it's a remark\ncreate /lines 'one\ntwo'\nget /lines\nset /lines \"open\n");
  expect(await cli('-f', file)).toEqual({
    exitCode: 2,
    stdout: 'Created /lines\none\ntwo\n',
    stderr: 'The text that begins with " has no " at its end\n',
  });
  expect((await cli('-f', join(directory, 'none'))).exitCode).toBe(1);
});

test('--quiet: only the answers', async () => {
  const { exitCode, stdout, stderr } = await runZabra(
    ['cli', '-server', server.address, '--quiet'],
    'create /quiet\ncreate -s /quiet/job- x\nsync /\nget /quiet/job-0000000000\nget /nothing\nget\n',
  );
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '/quiet\n/quiet/job-0000000000\nx\n' });
  expect(stderr).toBe('Node does not exist: /nothing\nThe path is missing\n');
});

test('cat: the bytes exactly into a pipe', async () => {
  await client.create('/bytes', Buffer.from([0, 255, 10]));
  await client.create('/json', '{"a":1}');
  await client.create('/nothing-in-it', null);
  expect((await cli('cat', '/json')).stdout).toBe('{"a":1}');
  expect((await cli('cat', '/nothing-in-it')).stdout).toBe('');
  const [bytes] = await answers('cat /bytes\n');
  expect(bytes).toEqual({ path: '/bytes', data: { base64: 'AP8K' } });
});

test('edit: nothing is written over what somebody else wrote meanwhile', async () => {
  await client.create('/edited', 'first');
  const edit = (editor: string) =>
    runZabra(['cli', '-server', server.address, 'edit', '/edited'], '', { VISUAL: '', EDITOR: editor });
  expect(await edit('true')).toMatchObject({ exitCode: 0, stdout: 'Not changed\n' });
  expect((await edit('false')).stderr).toBe(
    'The editor ended with 1; nothing is written (try: EDITOR=nano, not false)\n',
  );
  const other = `node bin/zabra.js cli -s ${server.address} set /edited theirs; printf mine >`;
  const { exitCode, stderr } = await edit(other);
  expect(exitCode).toBe(1);
  const [, file = ''] =
    /^\/edited was changed meanwhile \(try: edit again; what you wrote is in (.*)\)\n$/.exec(stderr) ?? [];
  expect(readFileSync(file, 'utf8')).toBe('mine');
  expect(statSync(file).mode & 0o077).toBe(0);
  removeDirectory(join(file, '..'));
  expect(String((await client.get('/edited')).data)).toBe('theirs');
  expect(await edit('printf better >')).toMatchObject({ exitCode: 0, stdout: 'Changed /edited, version 2\n' });
});

test('export and import: data, ACLs and counters; ephemeral nodes only on demand', async () => {
  const file = join(directory, 'app.jsonl');
  await client.create('/app', '{"on":true}', { acl: [{ scheme: 'world', id: 'anyone', perms: 31 }] });
  await client.create('/app/bytes', Buffer.from([255, 0]), { acl: [{ scheme: 'world', id: 'anyone', perms: 23 }] });
  await client.create('/app/jobs');
  for (let i = 0; i < 3; i++) await client.create('/app/jobs/job-', null, { sequential: true });
  await client.delete('/app/jobs/job-0000000001');
  await client.create('/app/eph', 'x', { ephemeral: true });
  expect(await answers(`export /app ${file}\nimport ${file} /copy\nimport ${file} /copy\n`)).toEqual([
    { path: '/app', file, nodes: 6 },
    { file, created: 5, updated: 0, leftOut: 1 },
  ]);
  expect(statSync(file).mode & 0o077).toBe(0);
  expect((await client.create('/copy/jobs/job-', null, { sequential: true })).path).toBe('/copy/jobs/job-0000000003');
  await client.delete('/copy/jobs/job-0000000003');
  expect(await client.getAcl('/copy/bytes')).toMatchObject({ acl: [{ perms: 23 }] });
  expect((await client.get('/copy/bytes')).data).toEqual(Buffer.from([255, 0]));

  await client.set('/copy', 'other');
  const again = await answers(`diff -a /app /copy\nimport -u -e ${file} /copy\ngetEphemerals /copy\ndiff /app /copy\n`);
  expect(again).toMatchObject([
    {
      same: false,
      differences: [
        { path: '/', change: 'data' },
        { path: '/eph', change: 'removed' },
      ],
    },
    { created: 1, updated: 5, leftOut: 0 },
    { paths: ['/copy/eph'] },
    { same: true, differences: [] },
  ]);
  expect((await cli('diff', '/app', '/copy')).exitCode).toBe(1); // its ephemeral node went with the session
  expect((await cli('diff', '-S', server.address, '/app', '/app')).exitCode).toBe(0);

  const [header] = await answers('export /app\n');
  expect(header).toEqual({ zabraExport: 1, root: '/app' });
  expect((await cli('import', 'package.json', '/x')).stderr).toBe(
    'Package.json, line 1: this is no export (try: a file that export wrote)\n',
  );
});

test('mv and cp carry the counters of sequential names', async () => {
  await client.create('/queue');
  for (let i = 0; i < 4; i++) await client.create('/queue/n-', null, { sequential: true });
  for (let i = 0; i < 4; i++) await client.delete(`/queue/n-000000000${i}`);
  await answers('cp -R /queue /queue-copy\nmv /queue /queue-moved\n');
  for (const path of ['/queue-copy', '/queue-moved']) {
    expect((await client.create(`${path}/n-`, null, { sequential: true })).path).toBe(`${path}/n-0000000004`);
  }
  expect(await client.exists('/queue')).toBeNull();
});

test('owner, locks, session list, watch-stats: who is who', async () => {
  const lock = new Lock(client, '/locks/report', { data: 'worker 1' });
  const other = await connect(server.address);
  await using held = await lock.acquire();
  const waiting = new Lock(other, '/locks/report', { data: 'worker 2' }).acquire();
  const session = `0x${client.session.id.toString(16)}`;
  while ((await lock.contenders()).length < 2) await client.sync();
  const address = expect.stringMatching(/^127\.0\.0\.1:\d+$/);
  await client.addWatch('/locks', () => {});
  const [queue, owned, sessions, watches] = (await answers(
    'locks /locks/report\ncreate -e /own x\nowner /own\nsession list\nwatch-stats\n',
  ).then((all) => all.filter((_, i) => i !== 1))) as Record<string, unknown>[];
  expect(queue).toEqual({
    path: '/locks/report',
    queue: [
      {
        place: 'holder',
        node: expect.any(String),
        token: `0x${held.token.toString(16)}`,
        session,
        client: address,
        data: 'worker 1',
      },
      expect.objectContaining({ place: 'waits 1', session: `0x${other.session.id.toString(16)}`, data: 'worker 2' }),
    ],
  });
  expect(owned).toMatchObject({ path: '/own', client: address, server: server.address, isOwn: true });
  expect(sessions.sessions).toContainEqual({
    session,
    client: address,
    server: server.address,
    timeoutMs: 10_000,
    lastOperation: expect.any(String),
    ephemerals: expect.arrayContaining([expect.stringMatching(/^\/locks\/report\/.*lock-0000000000$/)]),
  });
  expect(watches.paths).toContainEqual({ path: '/locks', watches: 1 });
  const killed = await cli('session', 'kill', session);
  expect(killed.exitCode).toBe(1);
  expect(killed.stderr).toMatch(
    /let nobody end another's session .* its client is 127\.0\.0\.1:\d+ \(try: .*delete \/locks\/report\//,
  );
  expect(await client.exists('/locks')).not.toBeNull();
  await held.release();
  await (await waiting).release();
  await other.close();
});

test('who is not told says what would help', async () => {
  await using silent = await startZabra({ '4lw.commands.whitelist': 'srvr' });
  const { exitCode, stderr } = await runZabra(['cli', '-server', silent.address, 'session', 'list']);
  expect(exitCode).toBe(1);
  expect(stderr).toBe(
    `No server tells: ${silent.address}: cons is not among its 4lw.commands.whitelist ` +
      '(try: 4lw.commands.whitelist=srvr,cons in its zoo.cfg, or ask its admin port over HTTP)\n',
  );
});

test('watch -f: a line of JSON an event, until Ctrl-C, which leaves no session behind', async () => {
  const child = spawn(process.execPath, [
    'bin/zabra.js',
    'cli',
    '-server',
    server.address,
    '--json',
    'watch',
    '-f',
    '-d',
    '/seen',
  ]);
  const exited = once(child, 'exit');
  let text = '';
  child.stdout.on('data', (part) => {
    text += part;
  });
  const lines = (): unknown[] =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const seen = (count: number): Promise<true> =>
    waitFor(
      () => (lines().length >= count ? true : undefined),
      20_000,
      () => `only ${text}`,
    );
  await waitFor(
    async () => ((await fourLetterWord(server.port, 'wchp')).includes('/seen\n') ? true : undefined),
    20_000,
    () => 'it does not watch',
  );
  const sessionsBefore = await sessionCount();
  await client.create('/seen', 'a');
  await seen(1);
  await client.create('/seen/below', Buffer.from([255]));
  await seen(2);
  await client.delete('/seen/below');
  await seen(3);
  child.kill('SIGINT');
  expect(await exited).toEqual([0, null]);
  expect(lines()).toMatchObject([
    { event: { type: 'created', path: '/seen' }, data: 'a' },
    { event: { type: 'created', path: '/seen/below' }, data: { base64: '/w==' } },
    { event: { type: 'deleted', path: '/seen/below' } },
  ]);
  expect(await sessionCount()).toBe(sessionsBefore - 1);
});

async function sessionCount(): Promise<number> {
  return Number(/^Session Sets \(\d+\)\/\((\d+)\)/m.exec(await fourLetterWord(server.port, 'dump'))?.[1]);
}
