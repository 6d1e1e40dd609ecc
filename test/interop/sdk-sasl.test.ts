// Logging in with a name and a password: DIGEST-MD5 with real ZooKeeper and with Zabra, SCRAM-SHA-256 with Zabra.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClientOptions, connect, type SaslOptions } from '../../src/client/index.js';
import { freePort } from '../helpers/ports.js';
import { removeDirectory, type ServerUnderTest, temporaryDirectory } from '../helpers/processes.js';
import { whyNoZooKeeper } from '../helpers/real-zookeeper.js';
import { startZabra } from '../helpers/zabra-server.js';
import { Link } from '../unit/recipes/fixture.js';
import { startFlaggedZooKeeper } from './flagged-zookeeper.js';

const users = (loginModule: string) => `Server { ${loginModule} required user_bob="se,cret" user_eve="other"; };\n`;
const MODULE = 'org.apache.zookeeper.server.auth.DigestLoginModule';
const ANYBODY = [{ scheme: 'sasl', id: 'bob', perms: 31 }];

async function zooKeeper(): Promise<ServerUnderTest> {
  return startFlaggedZooKeeper({
    port: await freePort(),
    flags: { 'java.security.auth.login.config': '%/jaas.conf' },
    settings: { 'authProvider.1': 'org.apache.zookeeper.server.auth.SASLAuthenticationProvider' },
    files: { 'jaas.conf': users(MODULE) },
  });
}

const directories: string[] = [];
async function zabra(): Promise<ServerUnderTest> {
  const directory = temporaryDirectory('jaas');
  directories.push(directory);
  writeFileSync(join(directory, 'jaas.conf'), users(MODULE));
  return startZabra({ 'java.security.auth.login.config': join(directory, 'jaas.conf') });
}
afterAll(() => directories.forEach(removeDirectory));

const SUBJECTS: readonly [string, SaslOptions['mechanism'], ClientOptions['thread'], () => Promise<ServerUnderTest>][] =
  [
    ['ZooKeeper 3.8', 'DIGEST-MD5', 'main', zooKeeper],
    ['Zabra', 'DIGEST-MD5', 'main', zabra],
    ['Zabra', 'SCRAM-SHA-256', 'main', zabra],
    ['Zabra, from a worker thread', 'SCRAM-SHA-256', 'worker', zabra],
  ];

const absent = whyNoZooKeeper();
describe.each(SUBJECTS.filter(([name]) => name.startsWith('Zabra') || absent === undefined))(
  '%s, %s',
  (_name, mechanism, thread, start) => {
    let server: ServerUnderTest;
    let link: Link;
    beforeAll(async () => {
      server = await start();
      link = await Link.to(server.port);
    }, 90_000);
    afterAll(async () => {
      link?.end();
      await server?.[Symbol.asyncDispose]();
    });
    const logIn = (username: string, password: string) =>
      connect(link.address, { thread: thread ?? 'main', sasl: { mechanism, username, password } });

    test('who logged in may do what the ACL says, also after a reconnect; others may not', async () => {
      await using bob = await logIn('bob', 'se,cret');
      await bob.create('/bobs', 'x', { acl: ANYBODY });
      await using eve = await logIn('eve', 'other');
      await expect(eve.get('/bobs')).rejects.toMatchObject({ name: 'NoAuth' });
      await using nobody = await connect(link.address);
      await expect(nobody.get('/bobs')).rejects.toMatchObject({ name: 'NoAuth' });
      const events: string[] = [];
      await bob.get('/bobs', { watch: ({ type }) => events.push(type) });
      link.cut();
      await bob.retry(() => bob.set('/bobs', 'y'), { idempotent: true });
      await bob.sync();
      expect(events).toEqual(['dataChanged']);
      expect(await bob.whoAmI()).toEqual(expect.arrayContaining([{ scheme: 'sasl', id: 'bob' }]));
    });

    test('a wrong password, and an unknown user, are refused at once', async () => {
      await expect(logIn('bob', 'wrong')).rejects.toMatchObject({ name: 'AuthFailed' });
      await expect(logIn('mallory', 'x')).rejects.toMatchObject({ name: 'AuthFailed' });
    });
  },
);

test.each(['DIGEST-MD5', 'SCRAM-SHA-256'] as const)('a Zabra that knows no users refuses %s', async (mechanism) => {
  await using server = await startZabra();
  const sasl = { mechanism, username: 'bob', password: 'x' };
  await expect(connect(server.address, { sasl })).rejects.toMatchObject({ name: 'AuthFailed' });
});
