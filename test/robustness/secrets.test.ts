/**
 * Secrets stay secret: two servers of an ensemble are given distinctive ones wherever there is room for one, everything is
 * done with them, rightly and wrongly, and then whatever the servers print, answer or write for people is searched.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { connect } from '../../src/client/index.js';
import { digestId } from '../../src/server/auth.js';
import { makeCredential } from '../../src/server/index.js';
import { Authority, whyNoOpenSsl } from '../helpers/certificates.js';
import { Ensemble } from '../helpers/ensemble.js';
import { FrameClient } from '../helpers/frame-client.js';
import { freePort, LOOPBACK } from '../helpers/ports.js';
import { fourLetterWord, removeDirectory, temporaryDirectory } from '../helpers/processes.js';
import { logIn } from '../helpers/sasl-login.js';
import { ServerProcess } from '../helpers/server-process.js';

jest.setTimeout(90_000);

const SECRETS = {
  digest: 'xdigestx-4711',
  superuser: 'xsuperx-4712',
  sasl: 'xsaslx-4713',
  jaas: 'xjaasx-4714',
  wrong: 'xwrongx-4715',
  keyStore: 'xkeystorex-4716',
  peers: 'xpeersx-4717-and-longer',
};
const SUPER_DIGEST = digestId(`super:${SECRETS.superuser}`);
const WORDS =
  'conf cons crst dirs dump envi gtmk hash icfg isro lead lsnp mntr orst ruok srst srvr stat wchc wchp wchs obsr sysp';
const noOpenSsl = whyNoOpenSsl();

/** The secrets that stand in the text, by name; each also as base64 and hexadecimal. */
function foundIn(text: string, more: Readonly<Record<string, Uint8Array>> = {}): string[] {
  const all = {
    ...Object.fromEntries(Object.entries(SECRETS).map(([name, secret]) => [name, Buffer.from(secret)])),
    ...more,
  };
  return Object.entries(all).flatMap(([name, secret]) => {
    const bytes = Buffer.from(secret);
    const forms = [bytes.toString('latin1'), bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, '')];
    return forms.some((form) => text.toLowerCase().includes(form.toLowerCase())) ? [name] : [];
  });
}

async function adminAnswers(port: number): Promise<string> {
  const url = `http://${LOOPBACK}:${port}/commands`;
  const index = await (await fetch(url)).text();
  const names = [...new Set([...index.matchAll(/\/commands\/(\w+)/g)].map((match) => match[1]))];
  expect(names.length).toBeGreaterThan(15);
  const answers = await Promise.all(
    names.map(async (name) => {
      const headers = { authorization: `digest root:${SECRETS.wrong}` };
      return await (await fetch(`${url}/${name}`, { headers })).text();
    }),
  );
  return [index, ...answers].join('\n');
}

(noOpenSsl === undefined ? describe : describe.skip)(`secrets${noOpenSsl ? ` (${noOpenSsl})` : ''}`, () => {
  const directory = temporaryDirectory('zabra-secrets');
  afterAll(() => removeDirectory(directory));
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };

  test('are in no log, answer, audit line or error', async () => {
    const authority = new Authority(directory, 'ca');
    const pem = authority.issue('server', { subject: '/O=Example/CN=server' });
    const keyStore = join(directory, 'server.p12');
    const password = ['-passout', `pass:${SECRETS.keyStore}`];
    execFileSync('openssl', ['pkcs12', '-export', '-in', pem, '-out', keyStore, ...password]);
    const adminPorts = [await freePort(), await freePort()] as const;
    const jaas = file('jaas', `Server { a.DigestLoginModule required user_ann="${SECRETS.jaas}"; };`);
    const users = file('users', makeCredential('bob', SECRETS.sasl, { digestMd5: true }).join('\n'));
    await using ensemble = await Ensemble.prepare({
      voters: 2,
      settings: {
        'log.level': 'debug',
        'DigestAuthenticationProvider.superDigest': SUPER_DIGEST,
        'java.security.auth.login.config': jaas,
        'sasl.credentialsPath': users,
        'quorum.auth.secret': SECRETS.peers,
        secureClientPort: '0',
        'ssl.keyStore.location': keyStore,
        'ssl.keyStore.password': SECRETS.keyStore,
        'ssl.clientAuth': 'none',
        'audit.enable': 'true',
        'admin.enableServer': 'true',
      },
    });
    for (const [at, { server }] of ensemble.members.entries()) {
      const text = readFileSync(server.configFile, 'utf8').replace('admin.enableServer=false\n', '');
      writeFileSync(server.configFile, `${text}\nadmin.serverPort=${adminPorts[at]}\n`);
    }
    await Promise.all(ensemble.members.map((member) => member.start()));
    await ensemble.serving();
    const [first, second] = ensemble.members.map(({ server }) => server) as [ServerProcess, ServerProcess];

    const errors: string[] = [];
    const failing = async (action: Promise<unknown>): Promise<void> => {
      await action.then(
        () => errors.push('it worked'),
        (error: Error) => errors.push(`${error.message}\n${error.stack}\n${JSON.stringify(error)}`),
      );
    };
    const admin = await connect(ensemble.connectString, {
      auth: [
        { scheme: 'digest', auth: `super:${SECRETS.superuser}` },
        { scheme: 'digest', auth: `carl:${SECRETS.digest}` },
      ],
    });
    await admin.create('/mine', 'x', { acl: [{ perms: 31, scheme: 'auth', id: '' }], ephemeral: true });
    await failing(admin.set('/mine', 'y', { version: 9 }));
    const auth = [{ scheme: 'kerberos', auth: SECRETS.wrong }];
    await failing(connect(ensemble.connectString, { auth, connectTimeoutMs: 2000 }).then((client) => client.get('/')));
    const bob = await FrameClient.session(first.port);
    expect(await logIn(bob, 'SCRAM-SHA-256', 'bob', SECRETS.sasl)).toMatch(/^v=/);
    const ann = await FrameClient.session(second.port);
    expect(await logIn(ann, 'DIGEST-MD5', 'ann', SECRETS.jaas)).toMatch(/^rspauth=/);
    const mallory = await FrameClient.session(second.port);
    expect(await logIn(mallory, 'DIGEST-MD5', 'bob', SECRETS.wrong)).toBe(-115);
    const thief = await FrameClient.session(second.port, {
      sessionId: bob.sessionId,
      password: Buffer.from('x'.repeat(16)),
    });
    expect(thief.timeoutMs).toBe(0);

    const answers: string[] = [];
    for (const { port } of [first, second]) {
      for (const word of WORDS.split(' ')) answers.push(await fourLetterWord(port, word));
    }
    for (const port of adminPorts) answers.push(await adminAnswers(port));
    const sessionPasswords = { bobsSession: bob.password, annsSession: ann.password };
    // The search finds what is there.
    expect(foundIn(`a ${SECRETS.peers} b`)).toEqual(['peers']);
    expect(foundIn(Buffer.from(bob.password).toString('hex'), sessionPasswords)).toEqual(['bobsSession']);

    expect(errors).toHaveLength(2);
    expect(errors).not.toContain('it worked');
    expect(foundIn(errors.join('\n'))).toEqual([]);
    expect(answers.join('').length).toBeGreaterThan(20_000);
    expect(foundIn(answers.join('\n'), sessionPasswords)).toEqual([]);
    expect(answers.join('\n')).not.toContain(SUPER_DIGEST.split(':')[1]);
    await admin.close();
    for (const client of [bob, ann, thief]) client.close();
    await Promise.all(ensemble.members.map((member) => member.stop()));
    const audit = [first, second].map(({ dataDir }) => readFileSync(join(dataDir, 'audit.log'), 'utf8')).join('\n');
    expect(audit).toContain('/mine');
    expect(foundIn(audit, sessionPasswords)).toEqual([]);
    const log = `${first.output}\n${second.output}`;
    expect(log).toContain('debug');
    expect(foundIn(log, sessionPasswords)).toEqual([]);
    expect(log).not.toContain(SUPER_DIGEST.split(':')[1]);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['a key store with another password', { 'ssl.keyStore.password': SECRETS.wrong }, /password/],
    ['a key that is misspelt', { 'ssl.keyStore.pasword': SECRETS.keyStore }, /ssl\.keyStore\.pasword: no effect here/],
    ['a peer secret that is too short', { 'quorum.auth.secret': 'x4718' }, /holds 5 characters/],
    [
      'a value that is given twice',
      { 'ssl.keyStore.password': SECRETS.wrong, ' ssl.keyStore.password': SECRETS.keyStore },
      /more than once/,
    ],
  ])('%s: what is said about it does not show it', async (_what, settings, said) => {
    const authority = new Authority(directory, 'other');
    const keyStore = join(directory, 'other.p12');
    const pem = authority.issue('other', { subject: '/CN=other' });
    execFileSync('openssl', [
      'pkcs12',
      '-export',
      '-in',
      pem,
      '-out',
      keyStore,
      '-passout',
      `pass:${SECRETS.keyStore}`,
    ]);
    const server = await ServerProcess.prepare();
    await using _ = server;
    const ensemble = {
      initLimit: '5',
      syncLimit: '5',
      'server.1': `${LOOPBACK}:${await freePort()}:1`,
      'server.2': `${LOOPBACK}:${await freePort()}:2`,
    };
    writeFileSync(join(server.dataDir, 'myid'), '1');
    const tls = {
      secureClientPort: String(await freePort()),
      'ssl.keyStore.location': keyStore,
      'ssl.clientAuth': 'none',
    };
    server.configure({ ...ensemble, ...tls, 'log.level': 'debug', ...settings });
    server.launch();
    const ended = server.ending.then(() => true);
    while (!said.test(server.output) && !(await Promise.race([ended, new Promise((r) => setTimeout(r, 50))])));
    expect(server.output).toMatch(said);
    expect(foundIn(server.output)).toEqual([]);
    expect(server.output).not.toContain('x4718');
  });

  test('what is on disk is for its owner only', async () => {
    await using server = await ServerProcess.start({ 'audit.enable': 'true', dataDir: join(directory, 'fresh') });
    const client = await connect(`${LOOPBACK}:${server.port}`);
    await client.create('/a', 'x');
    await client.close();
    const listing = execFileSync('find', [join(directory, 'fresh')], { encoding: 'utf8' })
      .trim()
      .split('\n');
    expect(listing.length).toBeGreaterThan(3);
    const open = listing.filter((path) => (statSync(path).mode & 0o077) !== 0);
    expect(open).toEqual([]);
  });
});
