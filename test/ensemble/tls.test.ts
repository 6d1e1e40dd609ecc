/** Servers that speak TLS to each other (sslQuorum), each with a certificate of its own. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { connect } from '../../src/client/index.js';
import { Authority, whyNoOpenSsl } from '../helpers/certificates.js';
import { Ensemble, type Member } from '../helpers/ensemble.js';
import { LOOPBACK } from '../helpers/ports.js';
import { removeDirectory, temporaryDirectory } from '../helpers/processes.js';

jest.setTimeout(60_000);
const noOpenSsl = whyNoOpenSsl();

(noOpenSsl === undefined ? describe : describe.skip)(`sslQuorum${noOpenSsl ? ` (${noOpenSsl})` : ''}`, () => {
  const directory = temporaryDirectory('zabra-ensemble-tls');
  const KEY_STORE = 'server.pem';
  let authority: Authority;
  let stranger: Authority;
  beforeAll(() => {
    authority = new Authority(directory, 'ca');
    stranger = new Authority(directory, 'stranger');
  });
  afterAll(() => removeDirectory(directory));

  function giveCertificate({ id, server }: Member, of: Authority): void {
    copyFileSync(of.issue(`${of.name}-${id}`, { subject: `/O=Zoo/CN=${id}` }), join(server.directory, KEY_STORE));
  }

  async function prepare(): Promise<Ensemble> {
    const ensemble = await Ensemble.prepare({
      settings: {
        sslQuorum: 'true',
        // Relative to the directory a server runs in.
        'ssl.quorum.keyStore.location': KEY_STORE,
        'ssl.quorum.trustStore.location': authority.certificate,
      },
    });
    for (const member of ensemble.members) giveCertificate(member, authority);
    return ensemble;
  }

  async function started(): Promise<Ensemble> {
    const ensemble = await prepare();
    await Promise.all(ensemble.members.map((member) => member.start()));
    await ensemble.serving();
    return ensemble;
  }

  test('elects, serves, outlives its leader, and takes the lost one back', async () => {
    await using ensemble = await started();
    const leader = await ensemble.serving();
    const [follower, other] = ensemble.others(leader);
    for (const { log } of ensemble.members) expect(log).toContain('TLS (ssl.quorum.*) uses the certificate of CN=');
    await using client = await connect(ensemble.connectString, { sessionTimeoutMs: 20_000 });
    const large = Buffer.alloc(500_000, 'x');
    await client.create('/encrypted', large);
    await leader.kill();
    await ensemble.serving([follower, other]);
    await Promise.all(Array.from({ length: 50 }, (_, i) => client.create(`/encrypted/${i}`, String(i))));
    await leader.start();
    await ensemble.serving();
    await using reader = await connect(leader.address);
    await reader.sync('/');
    expect((await reader.get('/encrypted')).data).toEqual(large);
    await ensemble.expectSameTrees();
    for (const member of ensemble.members) await member.stop();
  });

  test('a server without TLS, or with a certificate of strangers, stays outside, and its log says why', async () => {
    await using ensemble = await started();
    const leader = await ensemble.serving();
    const [follower, outsider] = ensemble.others(leader);
    await using client = await connect(`${leader.address},${follower.address}`);
    await client.create('/before');
    const goesWithout = async (): Promise<void> => {
      await client.set('/before', 'still writable');
      expect(await outsider.mode()).toBe('none');
    };

    await outsider.stop();
    giveCertificate(outsider, stranger);
    await outsider.start();
    const mentions = (member: Member, text: RegExp) =>
      ensemble.until(() => (text.test(member.log) ? true : undefined), `server ${member.id} does not say ${text}`);
    await mentions(outsider, /is not trusted/);
    await goesWithout();

    await outsider.stop();
    const config = readFileSync(outsider.server.configFile, 'utf8');
    writeFileSync(outsider.server.configFile, config.replace('sslQuorum=true', 'sslQuorum=false'));
    await outsider.start();
    await mentions(outsider, /sslQuorum has to be the same|its log may tell why/);
    await goesWithout();

    await outsider.stop();
    writeFileSync(outsider.server.configFile, config);
    giveCertificate(outsider, authority);
    await outsider.start();
    await ensemble.serving();
    await ensemble.expectSameTrees();
  });

  test('renewed certificates are used without a restart, and nobody notices', async () => {
    await using ensemble = await started();
    await using client = await connect(ensemble.connectString);
    const states: string[] = [];
    client.onState(({ state }) => states.push(state));
    const leader = await ensemble.serving();
    for (const member of ensemble.members) {
      giveCertificate(member, authority);
      await ensemble.until(
        () => (member.log.includes('has read the files again') ? true : undefined),
        `server ${member.id} does not read its files again`,
      );
    }
    await client.create('/renewed');
    expect([await ensemble.serving(), states]).toEqual([leader, []]);
  });

  test('who speaks no TLS to the quorum port is closed, and told in the log', async () => {
    await using ensemble = await started();
    const [one] = ensemble.members;
    const line = /^server\.1=[^:]+:(\d+)/m.exec(readFileSync(one.server.configFile, 'utf8'));
    const socket = connectTcp(Number(line?.[1]), LOOPBACK);
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    await ensemble.until(
      () => (one.log.includes('it does not speak TLS') ? true : undefined),
      'the log says nothing of it',
    );
    await using client = await connect(ensemble.connectString);
    await client.create('/unharmed');
  });

  test('key material that is missing is told before anything is opened', async () => {
    await using ensemble = await prepare();
    const [one] = ensemble.members;
    writeFileSync(join(one.server.directory, KEY_STORE), 'half a file');
    await expect(one.start()).rejects.toThrow(/ssl\.quorum\.keyStore\.location.*server\.pem/);
  });
});
