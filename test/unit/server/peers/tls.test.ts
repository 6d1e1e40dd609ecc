// Links over TLS: whom they are made with, what is logged when they are not, and that strangers disturb nothing.

import { copyFileSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { loadConfig } from '../../../../src/server/config/index.js';
import { decodeGreeting } from '../../../../src/server/peers/greeting.js';
import { openTlsSockets, type PeerMember, type PeerSockets } from '../../../../src/server/peers/index.js';
import { Authority, whyNoOpenSsl } from '../../../helpers/certificates.js';
import { LOOPBACK } from '../../../helpers/ports.js';
import { removeDirectory, temporaryDirectory } from '../../../helpers/processes.js';
import { Cleanup, collectingLogger, Happenings, membersOf, rawPeer, type TestServer } from './ensemble.js';

const noOpenSsl = whyNoOpenSsl();

(noOpenSsl === undefined ? describe : describe.skip)(`links over TLS${noOpenSsl ? ` (${noOpenSsl})` : ''}`, () => {
  const directory = temporaryDirectory('zabra-peer-tls');
  const cleanup = new Cleanup();
  let ca: string;
  let strangerCa: string;
  const stores: Record<string, string> = {};

  beforeAll(() => {
    const authority = new Authority(directory, 'ca');
    const stranger = new Authority(directory, 'stranger');
    ca = authority.certificate;
    strangerCa = stranger.certificate;
    for (const name of ['one', 'two', 'three']) stores[name] = authority.issue(name, { subject: `/O=Zoo/CN=${name}` });
    stores.elsewhere = authority.issue('elsewhere', { subject: '/O=Zoo/CN=elsewhere', names: 'DNS:elsewhere.example' });
    stores.expired = authority.issue('expired', { subject: '/O=Zoo/CN=expired', days: 0 });
    stores.mallory = stranger.issue('mallory', { subject: '/O=Zoo/CN=one' });
  }, 30_000);
  afterEach(() => cleanup.run());
  afterAll(() => removeDirectory(directory));

  /** TLS as a configuration asks for it. `more` without `ssl.quorum.`, but for options that begin otherwise. */
  function tls(
    keyStore: string,
    more: Readonly<Record<string, string>> = {},
    log: Happenings = new Happenings(),
  ): PeerSockets {
    const options = { 'keyStore.location': keyStore, 'trustStore.location': ca, cnxTimeout: '2000', ...more };
    const D = Object.entries(options).map(([name, value]) => {
      return `zookeeper.${/^(?:ssl|cnx)/.test(name) ? name : `ssl.quorum.${name}`}=${value}`;
    });
    const { sockets, close } = openTlsSockets(loadConfig({ flags: { D }, env: {} }).config, collectingLogger(log));
    cleanup.add(close, () => close());
    return sockets;
  }

  /** Servers 1 and 2 that listen; 2 dials. */
  async function two(one: PeerSockets | undefined, other: PeerSockets | undefined, members?: PeerMember[]) {
    const all = members ?? (await membersOf(2));
    const servers = [one, other].map((sockets, at) =>
      cleanup.server(at + 1, all, sockets === undefined ? {} : { sockets }),
    ) as [TestServer, TestServer];
    for (const { links } of servers) await links.listen();
    return { one: servers[0], two: servers[1], members: all };
  }

  async function expectLinked(one: TestServer, other: TestServer, round = 1): Promise<void> {
    await Promise.all([one.events.until('connected 2', round), other.events.until('connected 1', round)]);
    one.links.send([2], { type: 'ping', round });
    other.links.send([1], { type: 'ping', round });
    await Promise.all([one.events.until(`2: ping ${round}`), other.events.until(`1: ping ${round}`)]);
  }

  test('three servers, everything encrypted, also what is long', async () => {
    const members = await membersOf(3);
    const seen: Buffer[] = [];
    // What goes to server 1 passes here.
    const tap = createServer((socket) => {
      const onward = connect(members[0]!.port, LOOPBACK);
      socket.on('data', (chunk: Buffer) => seen.push(chunk));
      socket.pipe(onward).pipe(socket);
      for (const each of [socket, onward]) each.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => tap.listen(0, LOOPBACK, resolve));
    cleanup.add(tap, () => tap.close());
    const tapped = { ...members[0]!, port: (tap.address() as { port: number }).port };
    const servers = ['one', 'two', 'three'].map((name, at) => {
      const list = at === 0 ? members : [tapped, ...members.slice(1)];
      return cleanup.server(at + 1, list, { sockets: tls(stores[name]!) });
    });
    for (const { links } of servers) await links.listen();
    await Promise.all(servers.map(({ events }) => events.until(/^connected/, 2)));
    const text = 'everybody may read this'.repeat(20_000);
    servers[1]!.links.send([1, 3], { type: 'forward', batch: new TextEncoder().encode(text) });
    servers[2]!.links.send([1, 2], { type: 'ping', round: 5 });
    await Promise.all([
      servers[0]!.events.until('2: forward'),
      servers[2]!.events.until('2: forward'),
      servers[0]!.events.until('3: ping 5'),
      servers[1]!.events.until('3: ping 5'),
    ]);
    const [message] = servers[0]!.messages.filter(({ type }) => type === 'forward');
    expect(message?.type === 'forward' && new TextDecoder().decode(message.batch)).toBe(text);
    const wire = Buffer.concat(seen).toString('latin1');
    expect(wire.length).toBeGreaterThan(text.length);
    expect(wire).not.toMatch(/ZABRA|everybody/);
    // Links are watched by what comes in, so it has to be counted above TLS too.
    expect(servers[0]!.links.status()[0]).toMatchObject({ id: 2, links: 1 });
    expect(servers[0]!.links.status()[0]!.bytesIn).toBeGreaterThan(text.length);
    servers[0]!.links.reset(3, 'a test');
    await servers[2]!.events.until('connected 1', 2);
  });

  test('a certificate of another authority: neither side takes it, and both say so', async () => {
    // Server 2 has it, and dials.
    const first = await two(tls(stores.one!), tls(stores.mallory!));
    await first.one.log.until(
      /warn refused a server: the one at 127.0.0.1 may not link to server 1: .*CN=one,O=Zoo is not trusted \(.*trustStore @/,
    );
    await first.two.log.until(/warn refused by server 1 at .*: the certificate of CN=one,O=Zoo is not trusted/);
    // Server 1 has it, and is dialled.
    const second = await two(tls(stores.mallory!, { 'trustStore.location': strangerCa }), tls(stores.two!));
    await second.two.log.until(/warn cannot reach server 1 at .*: its certificate is not trusted: .*trustStore/);
    expect([first.one, first.two, second.one, second.two].flatMap(({ events }) => events.list)).toEqual([]);
  });

  test('an expired certificate is refused', async () => {
    const { one, two: other } = await two(tls(stores.one!), tls(stores.expired!));
    await other.log.until(/warn refused by server 1 .*CERT_HAS_EXPIRED/);
    expect(one.events.list).toEqual([]);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a session that is resumed is judged like a new one: %s',
    async (version) => {
      const { members } = await two(tls(stores.one!), tls(stores.two!));
      const pem = readFileSync(stores.mallory!);
      let session: Buffer | undefined;
      /** What the server has to say to whom it does not trust; with the session of the last time. */
      const answer = (): Promise<Buffer> =>
        new Promise((resolve) => {
          const chunks: Buffer[] = [];
          const trust = { rejectUnauthorized: false, cert: pem, key: pem };
          const port = members[0]!.port;
          const socket = connectTls({
            host: LOOPBACK,
            port,
            minVersion: version,
            maxVersion: version,
            session,
            ...trust,
          });
          socket.on('session', (given: Buffer) => {
            session = given;
          });
          socket.on('data', (chunk: Buffer) => chunks.push(chunk));
          socket.once('close', () => resolve(Buffer.concat(chunks)));
        });
      for (let times = 0; times < 3; times++) {
        const body = expect.stringMatching(/not trusted|shows no certificate/);
        expect(decodeGreeting(await answer())).toMatchObject({ greeting: { kind: 'refused', body } });
      }
      expect(session).toBeDefined();
    },
  );

  test('without a certificate nobody is heard', async () => {
    const { one, two: other, members } = await two(tls(stores.one!), tls(stores.two!));
    const socket = connectTls({ host: LOOPBACK, port: members[0]!.port, rejectUnauthorized: false });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await new Promise((resolve) => socket.once('close', resolve));
    const decoded = decodeGreeting(Buffer.concat(chunks));
    expect(decoded).toMatchObject({ greeting: { kind: 'refused', body: expect.stringContaining('no certificate') } });
    await one.log.until(/warn refused a server: .*it shows no certificate; ssl.quorum.clientAuth=need asks for one/);
    await expectLinked(one, other);
  });

  test('ssl.quorum.clientAuth: want takes none or a good one, none does not ask; both are warned of', async () => {
    const log = new Happenings();
    const anonymous = (sockets: PeerSockets): PeerSockets => ({
      ...sockets,
      dial: ({ host, port }, onReady) => connectTls({ host, port, rejectUnauthorized: false }, onReady),
    });
    for (const clientAuth of ['want', 'none']) {
      const { one, two: other } = await two(tls(stores.one!, { clientAuth }, log), anonymous(tls(stores.two!)));
      await expectLinked(one, other);
      await log.until(new RegExp(`^warn ssl.quorum.clientAuth=${clientAuth}: whoever reaches`));
    }
    const { one, two: other } = await two(tls(stores.one!, { clientAuth: 'want' }), tls(stores.mallory!));
    await other.log.until(/warn refused by server 1 .*not trusted/);
    expect(one.events.list).toEqual([]);
  });

  test('a certificate for another host', async () => {
    // Who is dialled has it.
    const dialled = await two(tls(stores.elsewhere!), tls(stores.two!));
    await dialled.two.log.until(
      /cannot reach server 1 at .*: the certificate of CN=elsewhere,O=Zoo is for DNS:elsewhere.example, not for 127.0.0.1 of the server line/,
    );
    // Who dials has it.
    const dials = await two(tls(stores.one!), tls(stores.elsewhere!));
    await dials.two.log.until(
      /refused by server 1 .* as server 2: the certificate of CN=elsewhere,O=Zoo is for DNS:elsewhere.example, not for 127.0.0.1/,
    );
    await dials.one.log.until(/warn refused a server: .* as server 2: the certificate/);
    expect([dialled.one, dialled.two, dials.one, dials.two].flatMap(({ events }) => events.list)).toEqual([]);
    // The options let both in.
    const lenient = await two(tls(stores.one!, { clientHostnameVerification: 'false' }), tls(stores.elsewhere!));
    await expectLinked(lenient.one, lenient.two);
    const blind = await two(
      tls(stores.elsewhere!, { hostnameVerification: 'false' }),
      tls(stores.elsewhere!, { hostnameVerification: 'false' }),
    );
    await expectLinked(blind.one, blind.two);
  });

  test('a server cannot pose as another one, whose host is not in its certificate', async () => {
    const members = await membersOf(2);
    // Its certificate names the loopback address, but it calls itself a server whose host is another.
    const lines = [members[0]!, { ...members[1]!, host: 'zoo2.example' }];
    const one = cleanup.server(1, lines, { sockets: tls(stores.one!) });
    const impostor = cleanup.server(2, lines, { sockets: tls(stores.two!), listen: { host: LOOPBACK, port: 0 } });
    await one.links.listen();
    await impostor.links.listen();
    await one.log.until(/as server 2: the certificate of CN=two,O=Zoo is for .*, not for zoo2.example/);
    expect([...one.events.list, ...impostor.events.list]).toEqual([]);
  });

  test('host names are looked up and compared as names', async () => {
    const members = (await membersOf(2)).map((member) => ({ ...member, host: 'localhost' }));
    const { one, two: other } = await two(tls(stores.one!), tls(stores.two!), members);
    await expectLinked(one, other);
  });

  test('one has TLS and one has not: both say what to correct', async () => {
    const plainDials = await two(tls(stores.one!), undefined);
    await plainDials.one.log.until(
      /warn a TLS handshake on the port for other servers failed: it does not speak TLS; sslQuorum has to be the same on every server @127/,
    );
    await plainDials.two.log.until(/warn whoever answers for server 1 .*closed the connection; its log may tell why/);
    const tlsDials = await two(undefined, tls(stores.two!));
    await tlsDials.one.log.until(
      /warn a connection .* someone who speaks TLS; sslQuorum has to be the same on every server/,
    );
    await tlsDials.two.log.until(
      /warn cannot reach server 1 .*: it closed the connection in the TLS handshake; sslQuorum/,
    );
    expect([plainDials, tlsDials].flatMap(({ one, two: other }) => [...one.events.list, ...other.events.list])).toEqual(
      [],
    );
  });

  test('no version of TLS in common', async () => {
    const { two: other } = await two(
      tls(stores.one!, { protocol: 'TLSv1.3' }),
      tls(stores.two!, { protocol: 'TLSv1.2' }),
    );
    await other.log.until(/warn cannot reach server 1 .*: it refuses our TLS: .*alert protocol version/);
  });

  test('versions and cipher suites are those of the options', async () => {
    const options = { protocol: 'TLSv1.2', ciphersuites: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384' };
    const { one, two: other, members } = await two(tls(stores.one!, options), tls(stores.two!));
    await expectLinked(one, other);
    const socket = tls(stores.two!).dial({ host: LOOPBACK, port: members[0]!.port }, () => {});
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    if (!(socket instanceof TLSSocket)) throw new Error('it is not TLS');
    expect([socket.getProtocol(), socket.getCipher().name]).toEqual(['TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384']);
    socket.destroy();
  });

  test('strangers on the port disturb nothing, whatever they send', async () => {
    const { one, two: other, members } = await two(tls(stores.one!), tls(stores.two!));
    await expectLinked(one, other);
    const noise = Array.from({ length: 100 }, () => rawPeer(members[0]!.port));
    noise.forEach(({ socket }, at) => {
      if (at % 4 === 0) socket.write('GET / HTTP/1.1\r\n\r\n');
      else if (at % 4 === 1) socket.write(Buffer.from('160301020001', 'hex'));
      else if (at % 4 === 2) socket.write(Buffer.alloc(500, at));
      // The last kind says nothing. All of them are gone once the time for a handshake is over.
    });
    await Promise.all(noise.map(({ closed }) => closed));
    one.links.send([2], { type: 'ping', round: 7 });
    await other.events.until('1: ping 7');
    expect([one.events.count(/connected/), one.log.count(/^error/)]).toEqual([1, 0]);
    expect(one.log.count(/^warn a TLS handshake/)).toBeLessThan(6);
  }, 15_000);

  test('past more handshakes that do not end than there may be connections, a server gets in', async () => {
    const { one, two: other, members } = await two(tls(stores.one!, { cnxTimeout: '600000' }), tls(stores.two!));
    await expectLinked(one, other);
    const silent = Array.from({ length: 200 }, () => rawPeer(members[0]!.port));
    await Promise.all(silent.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))));
    other.links.reset(1, 'a test');
    await expectLinked(one, other, 2);
    for (const { socket } of silent) socket.destroy();
  }, 15_000);

  test('closes at once while others are in their handshake', async () => {
    const { one, members } = await two(tls(stores.one!, { cnxTimeout: '600000' }), tls(stores.two!));
    const silent = rawPeer(members[0]!.port);
    await new Promise((resolve) => silent.socket.once('connect', resolve));
    await one.links.close();
    await silent.closed;
  });

  test('new files count for the next link; the one that is there goes on', async () => {
    const store = join(directory, 'changing.pem');
    copyFileSync(stores.one!, store);
    const log = new Happenings();
    const { one, two: other } = await two(tls(store, {}, log), tls(stores.two!));
    await expectLinked(one, other);
    copyFileSync(stores.mallory!, store);
    await log.until(/^info TLS \(ssl.quorum.\*\) has read the files again/);
    one.links.send([2], { type: 'ping', round: 9 });
    await other.events.until('1: ping 9');
    expect(other.events.count(/connected/)).toBe(1);
    other.links.reset(1, 'a test');
    await other.log.until(/cannot reach server 1 .*: its certificate is not trusted/);
    copyFileSync(stores.one!, store);
    await expectLinked(one, other, 2);
  }, 20_000);
});
