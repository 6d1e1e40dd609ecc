/**
 * Clients over TLS: who is let in, who they are then, and what strangers on the port can spoil, which is nothing. A
 * server is a process of its own; certificates are made by openssl for this run.
 */
import { copyFileSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { jest } from '@jest/globals';
import { type Client, type ClientTlsOptions, CREATOR_ACL, connect, Perms } from '../../src/client/index.js';
import { Authority, whyNoOpenSsl } from '../helpers/certificates.js';
import { freePort, LOOPBACK } from '../helpers/ports.js';
import { fourLetterWord, removeDirectory, temporaryDirectory, waitFor } from '../helpers/processes.js';
import { ServerProcess } from '../helpers/server-process.js';

jest.setTimeout(60_000);

const STOP_MS = 1000;
const HANDSHAKE_MS = 600;
const noOpenSsl = whyNoOpenSsl();

(noOpenSsl === undefined ? describe : describe.skip)(`TLS${noOpenSsl ? ` (${noOpenSsl})` : ''}`, () => {
  const directory = temporaryDirectory('zabra-tls');
  let ca: string;
  let strangerCa: string;
  const people: Record<string, string> = {};

  beforeAll(() => {
    const authority = new Authority(directory, 'ca');
    const stranger = new Authority(directory, 'stranger');
    ca = authority.certificate;
    strangerCa = stranger.certificate;
    for (const name of ['server', 'alice', 'bob', 'admin']) {
      people[name] = authority.issue(name, { subject: `/O=Example/CN=${name}` });
    }
    const names = 'IP:192.0.2.1,DNS:localhost';
    people.traveller = authority.issue('traveller', { subject: '/O=Example/CN=traveller', names });
    people.expired = authority.issue('expired', { subject: '/O=Example/CN=alice', days: 0 });
    people.elsewhere = authority.issue('elsewhere', {
      subject: '/O=Example/CN=elsewhere',
      names: 'DNS:elsewhere.example',
    });
    people.mallory = stranger.issue('mallory', { subject: '/O=Example/CN=alice' });
  });
  afterAll(() => removeDirectory(directory));

  /** zoo.cfg lines for a TLS port beside the plain one. */
  async function tlsSettings(more: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
    return {
      secureClientPort: String(await freePort()),
      secureClientPortAddress: LOOPBACK,
      'ssl.keyStore.location': people.server!,
      'ssl.trustStore.location': ca,
      'X509AuthenticationProvider.superUser': 'CN=admin,O=Example',
      ...more,
    };
  }

  interface TlsServer extends AsyncDisposable {
    readonly process: ServerProcess;
    readonly port: number;
    readonly address: string;
  }

  async function startServer(more: Readonly<Record<string, string>> = {}): Promise<TlsServer> {
    const settings = await tlsSettings(more);
    const server = await ServerProcess.start(settings);
    const port = Number(settings.secureClientPort);
    const dispose = () => server[Symbol.asyncDispose]();
    return { process: server, port, address: `${LOOPBACK}:${port}`, [Symbol.asyncDispose]: dispose };
  }

  function material(name: string): ClientTlsOptions {
    const pem = readFileSync(people[name]!);
    return { ca: readFileSync(ca), cert: pem, key: pem };
  }

  const as = (server: TlsServer, name: string): Promise<Client> => connect(server.address, { tls: material(name) });

  /** Why no session could be had. */
  async function refusal(address: string, tls: ClientTlsOptions): Promise<string> {
    try {
      const client = await connect(address, { tls, connectTimeoutMs: 1500 });
      await client.close();
      return 'none';
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** A raw TLS connection, for what the SDK does not show. */
  function rawTls(port: number, name: string): Promise<TLSSocket> {
    const pem = readFileSync(people[name]!);
    return new Promise((resolve, reject) => {
      const options = { host: LOOPBACK, port, ca: readFileSync(ca), cert: pem, key: pem };
      const socket = connectTls(options, () => resolve(socket));
      socket.once('error', reject);
    });
  }

  function closed(socket: Socket): Promise<void> {
    socket.on('error', () => {});
    socket.resume();
    return new Promise((resolve) => socket.once('close', () => resolve()));
  }

  describe('a server that needs certificates', () => {
    let server: TlsServer;
    beforeAll(async () => {
      server = await startServer({ 'nio.sessionlessCnxnTimeout': String(HANDSHAKE_MS) });
    });
    afterAll(async () => {
      await server[Symbol.asyncDispose]();
    });

    test('serves whoever has one, by the name in it', async () => {
      await using alice = await as(server, 'alice');
      expect(await alice.whoAmI()).toEqual([
        { scheme: 'ip', id: LOOPBACK },
        { scheme: 'x509', id: 'CN=alice,O=Example' },
      ]);
      const data = Buffer.alloc(900_000, 'x');
      await Promise.all(
        Array.from({ length: 20 }, (_, i) => alice.create(`/big-${i}`, Buffer.concat([data, Buffer.from([i])]))),
      );
      const read = await Promise.all(Array.from({ length: 20 }, (_, i) => alice.get(`/big-${i}`)));
      expect(read.map(({ data: bytes }) => [bytes?.length, bytes?.at(-1)])).toEqual(
        Array.from({ length: 20 }, (_, i) => [900_001, i]),
      );
    });

    test('refuses those without, and those of another authority, which is refused as well', async () => {
      const trusting = { ca: readFileSync(ca) };
      expect(await refusal(server.address, trusting)).toContain('certificate required');
      expect(await refusal(server.address, { ...material('mallory'), ...trusting })).toMatch(/unknown ca|closed/);
      const suspicious = { ...material('alice'), ca: readFileSync(strangerCa) };
      expect(await refusal(server.address, suspicious)).toMatch(/self-signed|unable to/);
      expect(await refusal(server.address, material('alice'))).toBe('none');
    });

    test('x509 in an ACL lets in whom it names', async () => {
      await using alice = await as(server, 'alice');
      await using bob = await as(server, 'bob');
      const onlyAlice = { perms: Perms.ALL, scheme: 'x509', id: 'CN=alice,O=Example' };
      await alice.create('/of-alice', 'hers', { acl: CREATOR_ACL });
      expect((await alice.getAcl('/of-alice')).acl).toEqual([onlyAlice]);
      await alice.set('/of-alice', 'still hers');
      await expect(bob.get('/of-alice')).rejects.toMatchObject({ name: 'NoAuth' });
      await expect(bob.set('/of-alice', 'his')).rejects.toMatchObject({ name: 'NoAuth' });

      await bob.create('/for-alice', 'for her', { acl: [onlyAlice] });
      expect(String((await alice.get('/for-alice')).data)).toBe('for her');
      await expect(bob.get('/for-alice')).rejects.toMatchObject({ name: 'NoAuth' });

      // The plain port is open here, and nobody is Alice there.
      await using nobody = await connect(`${LOOPBACK}:${server.process.port}`);
      await expect(nobody.get('/of-alice')).rejects.toMatchObject({ name: 'NoAuth' });
    });

    test('the superuser passes every ACL', async () => {
      await using alice = await as(server, 'alice');
      await using admin = await as(server, 'admin');
      await alice.create('/closed', 'x', { acl: [{ perms: Perms.READ, scheme: 'x509', id: 'CN=nobody' }] });
      expect(String((await admin.get('/closed')).data)).toBe('x');
      await admin.set('/closed', 'y');
      await expect(alice.get('/closed')).rejects.toMatchObject({ name: 'NoAuth' });
    });

    test('four-letter words are answered on the port, and conf tells it', async () => {
      const socket = await rawTls(server.port, 'alice');
      const answer: Buffer[] = [];
      socket.on('data', (chunk) => answer.push(chunk));
      socket.write('conf');
      await closed(socket);
      const text = Buffer.concat(answer).toString();
      expect(text).toContain(`secureClientPort=${server.port}\n`);
      expect(await fourLetterWord(server.process.port, 'conf')).toBe(text);
    });

    test('whatever strangers send, clients are served', async () => {
      await using alice = await as(server, 'alice');
      const garbage = [
        Buffer.from('srvr'),
        Buffer.from('GET / HTTP/1.1\r\n\r\n'),
        Buffer.from([0, 0, 0, 44, 0, 0, 0, 0]),
        Buffer.from([0x16, 3, 1, 0xff, 0xff]),
        Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]),
        Buffer.alloc(100_000, 0x16),
      ];
      const sockets = garbage.map((bytes) => {
        const socket = connectTcp(server.port, LOOPBACK);
        socket.write(bytes);
        return socket;
      });
      const reset = connectTcp(server.port, LOOPBACK, () => reset.resetAndDestroy());
      reset.on('error', () => {});
      await Promise.all(sockets.map(closed));
      await alice.create('/undisturbed');
      expect(server.process.alive).toBe(true);
      expect(server.process.output).toContain('it does not speak TLS');
    });

    test('a handshake that does not end is hung up on, also one that goes on byte by byte', async () => {
      const silent = connectTcp(server.port, LOOPBACK);
      const slow = connectTcp(server.port, LOOPBACK);
      slow.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]));
      const drip = setInterval(() => slow.write(Buffer.from([7])), HANDSHAKE_MS / 5);
      const startMs = Date.now();
      const lasted = await Promise.all([silent, slow].map((socket) => closed(socket).then(() => Date.now() - startMs)));
      clearInterval(drip);
      for (const ms of lasted) expect(ms).toBeGreaterThanOrEqual(HANDSHAKE_MS * 0.9);
      await using alice = await as(server, 'alice');
      expect(await alice.exists('/')).not.toBeNull();
    });
  });

  test('want: without a certificate one is nobody, with a bad one one is not let in', async () => {
    await using server = await startServer({ 'ssl.clientAuth': 'want' });
    await using nobody = await connect(server.address, { tls: { ca: readFileSync(ca) } });
    expect(await nobody.whoAmI()).toEqual([{ scheme: 'ip', id: LOOPBACK }]);
    await using alice = await as(server, 'alice');
    expect(await alice.whoAmI()).toContainEqual({ scheme: 'x509', id: 'CN=alice,O=Example' });
    const mallory = { ...material('mallory'), ca: readFileSync(ca) };
    expect(await refusal(server.address, mallory)).toContain('no server took the session');
    expect(server.process.output).toContain('its certificate is not trusted');
  });

  test('none: a certificate is not asked for and proves nothing', async () => {
    await using server = await startServer({ 'ssl.clientAuth': 'none', 'ssl.trustStore.location': '' });
    await using alice = await as(server, 'alice');
    expect(await alice.whoAmI()).toEqual([{ scheme: 'ip', id: LOOPBACK }]);
  });

  test('a certificate is a login where one is enforced', async () => {
    await using server = await startServer({ 'enforce.auth.enabled': 'true', 'enforce.auth.schemes': 'x509' });
    await using alice = await as(server, 'alice');
    await alice.create('/allowed');
    expect(await refusalOfPlain(`${LOOPBACK}:${server.process.port}`)).not.toBe('none');
  });

  async function refusalOfPlain(address: string): Promise<string> {
    const client = await connect(address, { connectTimeoutMs: 1500 }).catch((error: Error) => error.message);
    if (typeof client === 'string') return client;
    const outcome = await client.create('/not-allowed').then(
      () => 'none',
      (error: Error) => error.message,
    );
    await client.close();
    return outcome;
  }

  test('clientHostnameVerification: a certificate has to be for the address of the client', async () => {
    await using server = await startServer({ 'ssl.clientHostnameVerification': 'true' });
    await using alice = await as(server, 'alice'); // her certificate is for 127.0.0.1
    expect(await alice.exists('/')).not.toBeNull();
    expect(await refusal(server.address, material('traveller'))).toContain('no server took the session');
    expect(server.process.output).toContain('does not name its address');
  });

  /** Version and suite that two agree on, or why they do not. */
  function handshake(port: number, options: object): Promise<string> {
    return new Promise((resolve) => {
      const socket = connectTls({ host: LOOPBACK, port, ca: readFileSync(ca), ...options }, () => {
        resolve(`${socket.getProtocol()} ${socket.getCipher().name}`);
        socket.destroy();
      });
      socket.once('error', (error) => resolve(error.message));
    });
  }

  test('an expired certificate is refused, whoever shows it', async () => {
    for (const clientAuth of ['need', 'want']) {
      await using good = await startServer({ 'ssl.clientAuth': clientAuth });
      expect(await refusal(good.address, material('expired'))).toMatch(/expired|closed the connection/);
      // With `need` OpenSSL hangs up by itself.
      if (clientAuth === 'want') expect(good.process.output).toContain('CERT_HAS_EXPIRED');
      expect(await refusal(good.address, material('alice'))).toBe('none');
    }
    await using expired = await startServer({ 'ssl.keyStore.location': people.expired! });
    expect(await refusal(expired.address, material('alice'))).toMatch(/expired/);
    expect(expired.process.output).toContain('has expired on');
  });

  test('a server whose certificate is for another host is not believed', async () => {
    await using server = await startServer({ 'ssl.keyStore.location': people.elsewhere! });
    expect(await refusal(server.address, material('alice'))).toMatch(
      /IP: 127\.0\.0\.1 is not in the cert's list|altnames/,
    );
  });

  test('old versions of TLS, and suites without forward secrecy, are not spoken', async () => {
    await using server = await startServer({ 'ssl.clientAuth': 'none' });
    expect(await handshake(server.port, {})).toBe('TLSv1.3 TLS_AES_256_GCM_SHA384');
    expect(await handshake(server.port, { maxVersion: 'TLSv1.2' })).toBe('TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384');
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' };
    expect(await handshake(server.port, old)).toMatch(/alert|version/i);
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA:AES128-SHA:@SECLEVEL=0' };
    expect(await handshake(server.port, weak)).toMatch(/handshake failure/);
  });

  test('new files count for new connections; those that are open go on', async () => {
    const current = join(directory, 'current.pem');
    copyFileSync(people.server!, current);
    await using server = await startServer({ 'ssl.keyStore.location': current });
    await using alice = await as(server, 'alice');
    const shown = async () => {
      const socket = await rawTls(server.port, 'alice');
      const name = socket.getPeerCertificate().subject.CN;
      socket.destroy();
      return name;
    };
    expect(await shown()).toBe('server');
    copyFileSync(people.bob!, current);
    await waitFor(
      async () => ((await shown()) === 'bob' ? true : undefined),
      10_000,
      () => `the new certificate is not shown:\n${server.process.output}`,
    );
    await alice.create('/after-reload');
    expect(alice.state).toBe('CONNECTED');
    expect(await refusal(server.address, material('alice'))).toBe('none');
  });

  test('client.portUnification: one port for both', async () => {
    await using server = await startServer({
      'client.portUnification': 'true',
      secureClientPort: '',
      secureClientPortAddress: '',
    });
    const address = `${LOOPBACK}:${server.process.port}`;
    await using alice = await connect(address, { tls: material('alice') });
    await using plain = await connect(address);
    expect(await alice.whoAmI()).toHaveLength(2);
    expect(await plain.whoAmI()).toHaveLength(1);
    expect(await fourLetterWord(server.process.port, 'ruok')).toBe('imok');
  });

  test('handshakes count as connections', async () => {
    await using server = await startServer({ maxClientCnxns: '3' });
    const sockets = await Promise.all([1, 2, 3].map(() => rawSocket(server.port)));
    const fourth = connectTcp(server.port, LOOPBACK);
    await closed(fourth);
    expect(server.process.output).toContain('maxClientCnxns=3');
    for (const socket of sockets) socket.destroy();
    await using alice = await as(server, 'alice');
    expect(await alice.exists('/')).not.toBeNull();
  });

  function rawSocket(port: number): Promise<Socket> {
    return new Promise((resolve) => {
      const socket = connectTcp(port, LOOPBACK, () => resolve(socket));
    });
  }

  test('SIGTERM ends it within a second, whatever is open', async () => {
    await using server = await startServer();
    const clients = await Promise.all(Array.from({ length: 20 }, () => as(server, 'alice')));
    const handshakes = await Promise.all([1, 2, 3].map(() => rawSocket(server.port)));
    for (const socket of handshakes) closed(socket);
    const startMs = Date.now();
    expect(await server.process.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(Date.now() - startMs).toBeLessThan(STOP_MS);
    await Promise.all(clients.map((client) => client.close({ keepSession: true })));
  });

  test('TLS alone: then there is no plain port', async () => {
    const settings = await tlsSettings({ clientPort: '', clientPortAddress: '' });
    await using server = await ServerProcess.prepare({ settings });
    server.launch();
    await waitFor(
      () => (server.output.includes('serving clients over TLS on') ? true : undefined),
      30_000,
      () => `the server does not serve:\n${server.output}`,
    );
    await using alice = await connect(`${LOOPBACK}:${settings.secureClientPort}`, { tls: material('alice') });
    expect(await alice.exists('/')).not.toBeNull();
    expect(server.output).not.toContain('serving clients on');
    expect(await fourLetterWord(server.port, 'ruok')).toBe('');
  });

  test.each([
    ['no key store', { 'ssl.keyStore.location': '' }, /ssl\.keyStore\.location: is not set, and secureClientPort/],
    ['no such file', { 'ssl.keyStore.location': '/none.pem' }, /ssl\.keyStore\.location: there is no file \/none\.pem/],
    ['nobody to trust', { 'ssl.trustStore.location': '' }, /ssl\.trustStore\.location: is not set/],
    ['no port', { secureClientPort: '' }, /secureClientPortAddress: is set, but secureClientPort is not/],
  ])('%s: it does not start and says why', async (_what, more, problem) => {
    await using server = await ServerProcess.prepare({ settings: await tlsSettings(more) });
    server.launch();
    expect(await server.ending).toEqual({ code: 1, signal: null });
    expect(server.output).toMatch(problem);
  });

  describe('the admin port', () => {
    function get(port: number, tls: ClientTlsOptions, command = 'ruok'): Promise<string> {
      return new Promise((resolve, reject) => {
        const { ca: authority, cert, key } = tls as Record<string, Buffer>;
        const options = {
          host: LOOPBACK,
          port,
          path: `/commands/${command}`,
          ca: authority,
          cert,
          key,
          agent: false as const,
        };
        request(options, (response) => {
          let text = '';
          response.on('data', (chunk) => {
            text += chunk;
          });
          response.on('end', () => resolve(text));
        })
          .on('error', reject)
          .end();
      });
    }
    const overHttp = async (port: number) => (await fetch(`http://${LOOPBACK}:${port}/commands/ruok`)).text();
    const adminSettings = async (more: Readonly<Record<string, string>>) => ({
      'admin.enableServer': 'true',
      'admin.serverPort': String(await freePort()),
      'ssl.quorum.keyStore.location': people.server!,
      'ssl.quorum.trustStore.location': ca,
      ...more,
    });

    test('keeps connections over TLS apart', async () => {
      const settings = await adminSettings({ 'admin.portUnification': 'true' });
      await using server = await startServer(settings);
      await using alice = await as(server, 'alice');
      const handshake = await rawSocket(server.port);
      const port = Number(settings['admin.serverPort']);
      const ask = async (command: string) => JSON.parse(await get(port, { ca: readFileSync(ca) }, command));
      expect(alice.state).toBe('CONNECTED');
      expect(await ask('cons')).toMatchObject({ connections: [], secure_connections: [{ session_timeout: 10_000 }] });
      expect(await ask('mntr')).toMatchObject({ outstanding_tls_handshake: 1, num_alive_connections: 1 });
      handshake.destroy();
    });

    test('takes both with admin.portUnification', async () => {
      const settings = await adminSettings({ 'admin.portUnification': 'true' });
      await using server = await ServerProcess.start(settings);
      const port = Number(settings['admin.serverPort']);
      expect(JSON.parse(await get(port, { ca: readFileSync(ca) }))).toMatchObject({ command: 'ruok' });
      expect(JSON.parse(await overHttp(port))).toMatchObject({ command: 'ruok' });
      expect(await server.end('SIGTERM')).toEqual({ code: 0, signal: null });
    });

    test('takes HTTPS alone with admin.forceHttps, and whom it knows with admin.needClientAuth', async () => {
      const settings = await adminSettings({ 'admin.forceHttps': 'true', 'admin.needClientAuth': 'true' });
      await using server = await ServerProcess.start(settings);
      const port = Number(settings['admin.serverPort']);
      expect(JSON.parse(await get(port, material('alice')))).toMatchObject({ command: 'ruok' });
      await expect(get(port, { ca: readFileSync(ca) })).rejects.toThrow();
      await expect(overHttp(port)).rejects.toThrow();
      expect(server.output).toContain('admin commands on https://');
    });
  });
});
