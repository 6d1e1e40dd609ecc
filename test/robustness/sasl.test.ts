/** Logging in by SASL to a real server process: who is let in, what is demanded, and users who come and go meanwhile. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { makeCredential } from '../../src/server/index.js';
import { FrameClient, Op, readBody } from '../helpers/frame-client.js';
import { waitFor } from '../helpers/processes.js';
import { logIn, saslStep } from '../helpers/sasl-login.js';
import { ServerProcess } from '../helpers/server-process.js';

jest.setTimeout(60_000);

const AUTH_FAILED = -115;
const LOGIN_DEMANDED = -124;
const WHO_AM_I = 107;

async function serverWith(lines: readonly string[], settings: Record<string, string> = {}) {
  const server = await ServerProcess.prepare();
  const file = join(server.directory, 'users');
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  server.configure({ 'sasl.credentialsPath': file, ...settings });
  await server.start();
  return { server, file };
}

async function isClosed(client: FrameClient): Promise<boolean> {
  return (await client.next()) === 'closed';
}

test('both mechanisms; a wrong password ends the connection, and not the session of anybody else', async () => {
  const { server } = await serverWith(makeCredential('bob', 'pencil', { digestMd5: true }), { superUser: 'bob' });
  await using _ = server;
  for (const mechanism of ['SCRAM-SHA-256', 'DIGEST-MD5'] as const) {
    const bob = await FrameClient.session(server.port);
    expect(await logIn(bob, mechanism, 'bob', 'pencil')).toMatch(/^(v|rspauth)=/);
    const { body } = await bob.call(WHO_AM_I);
    for (const scheme of ['super', 'sasl', 'bob']) expect(body.toString('latin1')).toContain(scheme);
    const mallory = await FrameClient.session(server.port);
    expect(await logIn(mallory, mechanism, 'bob', 'pencils')).toBe(AUTH_FAILED);
    expect(await isClosed(mallory)).toBe(true);
    expect((await bob.call(Op.exists, readBody('/'))).err).toBe(0);
    bob.close();
  }
  expect(server.records.some(({ message }) => message.includes('SASL: 1 users may log in'))).toBe(true);
});

test('where a login is demanded nothing else is answered before it, pings neither', async () => {
  const { server } = await serverWith(makeCredential('bob', 'pencil'), { sessionRequireClientSASLAuth: 'true' });
  await using _ = server;
  for (const operation of [Op.exists, Op.ping]) {
    const stranger = await FrameClient.session(server.port);
    const reply = await stranger.call(operation, operation === Op.ping ? undefined : readBody('/'));
    expect([reply.err, reply.zxid]).toEqual([LOGIN_DEMANDED, 0n]);
    expect(await isClosed(stranger)).toBe(true);
  }
  const half = await FrameClient.session(server.port);
  expect(await saslStep(half, 'n,,n=bob,r=abc')).toMatch(/^r=abc/);
  expect((await half.call(Op.exists, readBody('/'))).err).toBe(LOGIN_DEMANDED);
  const bob = await FrameClient.session(server.port);
  expect(await logIn(bob, 'SCRAM-SHA-256', 'bob', 'wrong')).toBe(LOGIN_DEMANDED);
  await bob.reconnect(server.port);
  expect(await logIn(bob, 'SCRAM-SHA-256', 'bob', 'pencil')).toMatch(/^v=/);
  expect((await bob.call(Op.exists, readBody('/'))).err).toBe(0);
  bob.close();
});

test('a user who is added can log in without a restart, one who is removed cannot any more', async () => {
  const { server, file } = await serverWith(makeCredential('bob', 'pencil'));
  await using _ = server;
  writeFileSync(file, `${makeCredential('ann', 'paper').join('\n')}\n`);
  await waitFor(
    () => server.records.find(({ message }) => message.includes('the users were read again')),
    10_000,
    () => server.output,
  );
  const ann = await FrameClient.session(server.port);
  expect(await logIn(ann, 'SCRAM-SHA-256', 'ann', 'paper')).toMatch(/^v=/);
  const bob = await FrameClient.session(server.port);
  expect(await logIn(bob, 'SCRAM-SHA-256', 'bob', 'pencil')).toBe(AUTH_FAILED);
  ann.close();
});

test('a file that cannot be used stops the start, and says which line', async () => {
  const server = await ServerProcess.prepare();
  await using _ = server;
  const file = join(server.directory, 'users');
  writeFileSync(file, 'bob:pencil-in-the-clear\n');
  server.configure({ 'sasl.credentialsPath': file });
  server.launch();
  expect((await server.ending).code).not.toBe(0);
  expect(server.output).toContain(`line 1 of ${file}`);
  expect(server.output).not.toContain('pencil-in-the-clear');
});
