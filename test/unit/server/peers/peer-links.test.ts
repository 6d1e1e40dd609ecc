import { connect, createServer, type Server } from 'node:net';
import { jest } from '@jest/globals';
import { encodePeerMessage, PEER_PROTOCOL_VERSION, type PeerMessage } from '../../../../protocol/peer/messages.js';
import { loadConfig } from '../../../../src/server/config/index.js';
import {
  decodeGreeting,
  encodeGreeting,
  GREETING_BYTES_MAX,
  helloBody,
} from '../../../../src/server/peers/greeting.js';
import { type PeerMember, peerLinksOptions, plainSockets } from '../../../../src/server/peers/index.js';
import { PeerLink } from '../../../../src/server/peers/link.js';
import { freePort, LOOPBACK } from '../../../helpers/ports.js';
import { Cleanup, membersOf, type RawPeer, rawPeer, type TestServer } from './ensemble.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const ping = (round: number): PeerMessage => ({ type: 'ping', round });

function framed(payload: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(payload.length);
  return Buffer.concat([length, payload]);
}

async function pair(more: Parameters<Cleanup['server']>[2] = {}) {
  const members = await membersOf(2);
  const one = cleanup.server(1, members, more);
  const two = cleanup.server(2, members, more);
  await Promise.all([one.links.listen(), two.links.listen()]);
  await Promise.all([one.events.until('connected 2'), two.events.until('connected 1')]);
  return { members, one, two };
}

function listening(server: Server, port: number): Promise<void> {
  cleanup.add(server, () => server.close());
  return new Promise((resolve) => server.listen(port, LOOPBACK, resolve));
}

/** Speaks as server 2 by hand, up to where the other side has answered. */
async function greet(members: readonly PeerMember[], incarnation: string): Promise<RawPeer> {
  const raw = cleanup.add(rawPeer(members[0]!.port), ({ socket }) => socket.destroy());
  raw.socket.write(encodeGreeting('hello', helloBody({ cluster: '', sender: 2, recipient: 1, incarnation, members })));
  await Promise.race([raw.bytes(1), raw.closed]);
  return raw;
}

function answerOf(raw: RawPeer): { kind: string; body: string } {
  const decoded = decodeGreeting(raw.received());
  if (decoded === null || decoded === 'more') throw new Error(`no greeting: ${raw.received().toString('latin1')}`);
  return decoded.greeting;
}

describe('links', () => {
  test('three servers: one link for each pair, each message once and in order', async () => {
    const members = await membersOf(3);
    const servers = members.map(({ id }) => cleanup.server(id, members));
    await Promise.all(servers.map(({ links }) => links.listen()));
    await Promise.all(servers.map(({ events }) => events.until(/^connected/, 2)));
    for (let round = 1; round <= 100; round++) servers[1]!.links.send([1, 2, 3], ping(round));
    servers[0]!.links.send([3], ping(7));
    await Promise.all([
      servers[0]!.events.until('2: ping 100'),
      servers[2]!.events.until('2: ping 100'),
      servers[2]!.events.until('1: ping 7'),
    ]);
    const rounds = Array.from({ length: 100 }, (_, index) => `2: ping ${index + 1}`);
    expect(servers[0]!.events.list.filter((event) => event.startsWith('2: '))).toEqual(rounds);
    expect(servers[2]!.events.list.filter((event) => event.startsWith('2: '))).toEqual(rounds);
    expect(servers[1]!.events.count(/ping/)).toBe(0);
    expect(servers[0]!.links.status()).toMatchObject([
      { id: 2, isConnected: true, links: 1, queuedBytes: 0, configured: `127.0.0.1:${members[1]!.port}` },
      { id: 3, isConnected: true, links: 1 },
    ]);
    expect(servers[0]!.links.status()[0]!.bytesIn).toBeGreaterThan(400);
  });

  test('what was queued leaves with flush, or else at the end of the turn', async () => {
    const { one, two } = await pair();
    const written = (): number => two.links.status()[0]!.bytesOut;
    const before = written();
    two.links.send([1], ping(1));
    expect(written()).toBe(before);
    two.links.flush();
    expect(written()).toBeGreaterThan(before);
    two.links.send([1], ping(2));
    await one.events.until('2: ping 2');
  });

  test('a large message crosses', async () => {
    const { one, two } = await pair();
    const message = { type: 'forward', batch: new Uint8Array(900_000).map((_, index) => index) } as const;
    one.links.send([2], message);
    await two.events.until('1: forward');
    const [received] = two.messages;
    if (received?.type !== 'forward') throw new Error('another message');
    expect(Buffer.compare(received.batch, message.batch)).toBe(0);
  });

  test('when too much waits, the link breaks; the handlers hear of it after the call of send', async () => {
    const { one, two } = await pair({ queuedBytesMax: 100_000 });
    one.links.send([2], { type: 'forward', batch: new Uint8Array(100_000) });
    one.links.send([2], ping(1));
    expect(one.events.list).toEqual(['connected 2']);
    await Promise.all([one.events.until('connected 2', 2), two.events.until('connected 1', 2)]);
    expect(two.messages).toEqual([]);
    expect(one.log.list).toContainEqual(expect.stringMatching(/server 2 broke: more than 100000 bytes wait/));
  });

  test('a message that is longer than the limit breaks the link on the sending side', async () => {
    const { one, two } = await pair();
    one.links.send([2], { type: 'forward', batch: new Uint8Array(1 << 20) });
    await two.events.until('disconnected 1');
    expect(one.log.count(/^error a message forward of 10485\d\d bytes is too long/)).toBe(1);
  });
});

describe('breaking and making again', () => {
  test('a reset is seen on both sides, nothing of the old link comes after it, and the next link is made', async () => {
    const { one, two } = await pair();
    // Both in one read: the second must not arrive any more.
    one.onMessage = (_, message) => {
      if (message.type === 'ping' && message.round === 1) one.links.reset(2, 'left the leader');
    };
    two.links.send([1], ping(1));
    two.links.send([1], ping(2));
    two.links.flush();
    await Promise.all([one.events.until('connected 2', 2), two.events.until('connected 1', 2)]);
    expect(one.events.list).toEqual(['connected 2', '2: ping 1', 'disconnected 2', 'connected 2']);
    expect(two.events.list).toEqual(['connected 1', 'disconnected 1', 'connected 1']);
    expect(one.log.list).toContainEqual(expect.stringMatching(/^info the link to server 2 is reset: left the leader/));
  });

  test('disconnected is told after the call of reset, and what is sent before the next link goes nowhere', async () => {
    const { one, two } = await pair();
    two.links.reset(1, 'test');
    two.links.reset(1, 'again');
    two.links.send([1], ping(1));
    expect(two.events.list).toEqual(['connected 1']);
    await Promise.all([one.events.until('connected 2', 2), two.events.until('connected 1', 2)]);
    two.links.send([1], ping(2));
    await one.events.until('2: ping 2');
    expect(one.events.count(/ping 1/)).toBe(0);
    expect(two.events.list).toEqual(['connected 1', 'disconnected 1', 'connected 1']);
  });

  test('a server that comes late, and comes again, is linked; its absence is told once', async () => {
    const members = await membersOf(2);
    const two = cleanup.server(2, members);
    await two.links.listen();
    await two.log.until(/^debug cannot reach server 1/, 2);
    for (let life = 1; life <= 2; life++) {
      const one = cleanup.server(1, members);
      await one.links.listen();
      await two.events.until('connected 1', life);
      await one.links.close();
      await two.events.until('disconnected 1', life);
    }
    await two.log.until(/^warn cannot reach server 1/, 2);
    // Once for each time it was away.
    expect(two.log.count(/^warn cannot reach server 1 at 127.0.0.1:\d+: connect ECONNREFUSED/)).toBeLessThanOrEqual(3);
  });

  test('attempts of one peer never overlap, and one without an answer is given up', async () => {
    const members = await membersOf(2);
    let open = 0;
    let most = 0;
    const silent = createServer((socket) => {
      most = Math.max(most, ++open);
      socket.on('error', () => {});
      socket.on('close', () => open--);
      socket.resume();
    });
    await listening(silent, members[0]!.port);
    const two = cleanup.server(2, members, { connectTimeoutMs: 30 });
    await two.links.listen();
    await two.log.until(/did not introduce itself within 30 ms/, 3);
    expect(most).toBe(1);
    expect(two.log.count(/^warn/)).toBe(1);
  });

  test('the name is looked up at every dial', async () => {
    const members = await membersOf(2);
    const elsewhere = await freePort();
    let port = elsewhere;
    const sockets = {
      ...plainSockets,
      dial: (_to: { host: string; port: number }, onReady: () => void) => connect({ host: LOOPBACK, port }, onReady),
    };
    const two = cleanup.server(2, members, { sockets });
    const one = cleanup.server(1, members);
    await Promise.all([one.links.listen(), two.links.listen()]);
    await two.log.until(/cannot reach/);
    port = members[0]!.port;
    await two.events.until('connected 1');
  });

  test('a peer that was restarted takes the place of its half-open link', async () => {
    const members = await membersOf(2);
    const one = cleanup.server(1, members);
    await one.links.listen();
    // It neither closes nor answers any more, as if its machine had lost power.
    const before = await greet(members, '0000000000000001');
    before.socket.write(encodeGreeting('ready', ''));
    await one.events.until('connected 2');
    const after = await greet(members, '0000000000000002');
    expect(answerOf(after).kind).toBe('welcome');
    expect(one.events.list).toEqual(['connected 2']);
    after.socket.write(Buffer.concat([encodeGreeting('ready', ''), framed(encodePeerMessage(ping(9)))]));
    await one.events.until('2: ping 9');
    expect(one.events.list).toEqual(['connected 2', 'disconnected 2', 'connected 2', '2: ping 9']);
    await before.closed;
  });

  test('links that have nothing to say stay; one to a machine that was started again is made anew', async () => {
    const { one, two } = await pair({ watchMs: 2 });
    const silence = (): number => Math.min(...[one, two].map(({ links }) => links.status()[0]!.bytesIn));
    // Far more questions than a dead side would be asked; each is answered.
    while (silence() < 1500) await new Promise((resolve) => setTimeout(resolve, 2));
    expect([...one.events.list, ...two.events.list]).toEqual(['connected 2', 'connected 1']);

    const members = await membersOf(2);
    const dead = cleanup.server(1, members, { watchMs: 60_000 });
    const three = cleanup.server(2, members, { watchMs: 2 });
    const swallow = jest.spyOn(PeerLink.prototype, 'send').mockImplementation(() => {});
    await Promise.all([dead.links.listen(), three.links.listen()]);
    await three.log.until(/server 1 broke: the other side gives no sign of life/);
    swallow.mockRestore();
    await three.events.until('connected 1', 2);
  });

  test('the same process that connects again is taken without asking its old connection', async () => {
    const members = await membersOf(2);
    const one = cleanup.server(1, members);
    await one.links.listen();
    for (let times = 1; times <= 2; times++) {
      const raw = await greet(members, '0000000000000001');
      raw.socket.write(encodeGreeting('ready', ''));
      await one.events.until('connected 2', times);
    }
    expect(one.events.list).toEqual(['connected 2', 'disconnected 2', 'connected 2']);
  });

  test('close sends what was queued and hangs up, without a word to its own handlers', async () => {
    const { one, two } = await pair();
    two.links.send([1], ping(1));
    await two.links.close();
    await one.events.until('disconnected 2');
    expect(one.events.list).toContain('2: ping 1');
    expect(two.events.list).toEqual(['connected 1']);
  });

  test('close ends what is under way: a dial without an answer, a stranger that says nothing', async () => {
    const members = await membersOf(3);
    const dialled = new Promise<void>((resolve) => {
      const silent = createServer((socket) => socket.once('data', () => resolve()).once('close', () => silent.close()));
      silent.listen(members[0]!.port, LOOPBACK);
    });
    const two = cleanup.server(2, members);
    await two.links.listen();
    const raw = rawPeer(members[1]!.port);
    await new Promise((resolve) => raw.socket.once('connect', resolve));
    await dialled;
    await two.links.close();
    await raw.closed;
    expect(two.log.list).toEqual([expect.stringMatching(/^debug .* was given up/)]);
  });
});

describe('who is refused', () => {
  /** Servers 1 and 2, the second with other options: it dials, and both are told why not. */
  async function refused(
    first: Parameters<Cleanup['server']>[2],
    second: Parameters<Cleanup['server']>[2],
    reason: RegExp,
  ): Promise<[TestServer, TestServer]> {
    const members = await membersOf(2);
    const one = cleanup.server(1, members, first);
    const two = cleanup.server(2, members, second);
    await Promise.all([one.links.listen(), two.links.listen()]);
    await Promise.all([one.log.until(/^warn refused a server/), two.log.until(/^warn refused by server 1/)]);
    await two.log.until(/^debug refused by server 1/, 2);
    for (const { log } of [one, two]) {
      const warnings = log.list.filter((line) => line.startsWith('warn'));
      expect(warnings).toEqual([expect.stringMatching(reason)]);
    }
    expect([...one.events.list, ...two.events.list]).toEqual([]);
    return [one, two];
  }

  test('a server of another ensemble: both logs say so once, however often it tries', async () => {
    await refused({ clusterName: 'blue' }, { clusterName: 'red' }, /in the ensemble 'blue', server 2 .* in 'red'/);
  });

  test('a server with another list of members', async () => {
    const members = await membersOf(2);
    const one = cleanup.server(1, members);
    const two = cleanup.server(
      2,
      members.map((member) => ({ ...member, weight: 5 })),
    );
    await Promise.all([one.links.listen(), two.links.listen()]);
    await two.log.until(/^warn refused by server 1 .* weight 5: give all servers the same/);
  });

  test('a second process with the number of one that is linked and answers', async () => {
    const { members, one, two } = await pair();
    const elsewhere = members.map((member) => (member.id === 2 ? { ...member, port: members[0]!.port } : member));
    const twin = cleanup.server(2, elsewhere, { listen: { host: LOOPBACK, port: await freePort() } });
    await twin.links.listen();
    await twin.log.until(
      /^warn refused by server 1 .* server 2 is linked already, from 127.0.0.1:\d+, and answers there/,
    );
    await one.log.until(/^warn refused a server: server 2 is linked already/);
    one.links.send([2], ping(1));
    await two.events.until('1: ping 1');
    expect(one.events.list).toEqual(['connected 2']);
    expect(twin.events.list).toEqual([]);
  });

  test('a server that answers at the address of another', async () => {
    const members = await membersOf(3);
    const one = cleanup.server(1, members);
    const wrong = members.map((member) => (member.id === 2 ? { ...member, port: members[0]!.port } : member));
    const three = cleanup.server(3, wrong, { listen: { host: LOOPBACK, port: members[2]!.port } });
    await Promise.all([one.links.listen(), three.links.listen()]);
    await three.log.until(
      /^warn refused by server 2 at .* takes server 1 for server 2: correct the address of server 2/,
    );
    await three.events.until('connected 1');
  });

  test('a server whose configuration leads to itself', async () => {
    const [own] = await membersOf(1);
    const members = [own!, { ...own!, id: 2 }];
    const two = cleanup.server(2, members);
    await two.links.listen();
    await two.log.until(/^warn refused by server 1 .* server 2 reached itself as server 1/);
  });

  test('another version of the protocol, with its reason', async () => {
    const members = await membersOf(2);
    const one = cleanup.server(1, members);
    await one.links.listen();
    const raw = rawPeer(members[0]!.port);
    raw.socket.write(encodeGreeting('hello', 'in a form not known yet', PEER_PROTOCOL_VERSION + 1));
    await raw.closed;
    expect(answerOf(raw)).toMatchObject({ kind: 'refused', body: expect.stringContaining('run the same release') });
    await one.log.until(/^warn refused a server: .* version 2: run the same release/);
  });

  test.each([
    ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', /speaks HTTP/],
    ['a learner of ZooKeeper', '\x00\x00\x00\x0b\x00\x00\x00\x00', /a server of ZooKeeper's/],
    [
      'a greeting without end',
      encodeGreeting('hello', '').toString('latin1').repeat(400),
      /sends more than a greeting/,
    ],
  ])('%s is hung up on, and the log says what it looks like', async (_, bytes, line) => {
    const members = await membersOf(2);
    const one = cleanup.server(1, members);
    await one.links.listen();
    const raw = rawPeer(members[0]!.port);
    raw.socket.write(Buffer.from(bytes, 'latin1'));
    await raw.closed;
    await one.log.until(line);
    expect(raw.received()).toHaveLength(0);
  });

  test('who speaks out of turn while it is decided about', async () => {
    const members = await membersOf(2);
    const one = cleanup.server(1, members);
    await one.links.listen();
    const linked = await greet(members, '0000000000000001');
    linked.socket.write(encodeGreeting('ready', ''));
    await one.events.until('connected 2');
    // The old link is probed now, and does not answer.
    const raw = rawPeer(members[0]!.port);
    const incarnation = '0000000000000002';
    raw.socket.write(
      encodeGreeting('hello', helloBody({ cluster: '', sender: 2, recipient: 1, incarnation, members })),
    );
    await linked.bytes(answerLength(linked) + 5);
    raw.socket.write(Buffer.alloc(GREETING_BYTES_MAX * 4));
    await raw.closed;
    await one.log.until(/does not wait for its turn/);
    expect(one.events.list).toEqual(['connected 2']);
  });

  function answerLength(raw: RawPeer): number {
    const decoded = decodeGreeting(raw.received());
    if (decoded === null || decoded === 'more') throw new Error('no greeting');
    return decoded.end;
  }

  test('who says nothing is closed in time, and the oldest when there are too many', async () => {
    const members = await membersOf(2);
    const one = cleanup.server(1, members, { strangersMax: 3, connectTimeoutMs: 60_000 });
    await one.links.listen();
    const idle: RawPeer[] = [];
    for (let count = 0; count < 4; count++) {
      const raw = cleanup.add(rawPeer(members[0]!.port), ({ socket }) => socket.destroy());
      await new Promise((resolve) => raw.socket.once('connect', resolve));
      idle.push(raw);
    }
    await idle[0]!.closed;
    const two = cleanup.server(2, members);
    await two.links.listen();
    await one.events.until('connected 2');
    expect(idle[3]!.socket.destroyed).toBe(false);

    const other = await membersOf(2);
    const strict = cleanup.server(1, other, { connectTimeoutMs: 20 });
    await strict.links.listen();
    const raw = rawPeer(other[0]!.port);
    await raw.closed;
    await strict.log.until(/did not introduce itself within 20 ms/);
  });
});

describe('the port', () => {
  test('one that is in use is tried so many times, then the error comes', async () => {
    const members = await membersOf(1);
    await listening(createServer(), members[0]!.port);
    const one = cleanup.server(1, members, { bindTriesMax: 3, bindPauseMs: 1 });
    await expect(one.links.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(one.log.list.map((line) => line.replace(/\d{4,}/, 'N'))).toEqual([
      'warn the port for other servers, 127.0.0.1:N, is in use; trying again, 2 more times',
      'warn the port for other servers, 127.0.0.1:N, is in use; trying again, 1 more times',
    ]);
  });

  test('one that becomes free is taken; 0 tries for ever, until it is closed', async () => {
    const members = await membersOf(1);
    const holder = createServer();
    await listening(holder, members[0]!.port);
    const one = cleanup.server(1, members, { bindTriesMax: 0, bindPauseMs: 1 });
    const opened = one.links.listen();
    await one.log.until(/is in use/, 5);
    holder.close();
    await opened;
    const next = cleanup.server(1, members, { bindTriesMax: 0, bindPauseMs: 60_000 });
    const never = next.links.listen();
    await next.log.until(/is in use/);
    await next.links.close();
    await expect(never).rejects.toThrow('abort');
    const late = cleanup.server(1, await membersOf(1));
    const opening = late.links.listen();
    await Promise.all([expect(opening).rejects.toThrow('abort'), late.links.close()]);
  });

  test('options follow from the configuration', () => {
    const flags = {
      'server-id': 2,
      server: { 1: 'a:2888:3888', 2: 'b:2889:3889|c:1:2', 3: 'd:2888:3888:observer' },
      'tcp-keep-alive': true,
      'cnx-timeout': 700,
      'ensemble-name': 'blue',
      'quorum-auth-secret': '0123456789abcdef',
    };
    const { config } = loadConfig({ env: {}, flags });
    expect(peerLinksOptions(config)).toMatchObject({
      serverId: 2,
      listen: { host: 'b', port: 2889 },
      clusterName: 'blue',
      keepAlive: true,
      connectTimeoutMs: 700,
      bindTriesMax: 3,
      members: [
        { id: 1, host: 'a', port: 2888, role: 'participant' },
        { id: 2, host: 'b', port: 2889 },
        { id: 3, host: 'd', port: 2888, role: 'observer', weight: 1 },
      ],
    });
    const everywhere = loadConfig({ env: {}, flags: { ...flags, 'quorum-listen-on-all-ips': true } }).config;
    expect(peerLinksOptions(everywhere).listen).toEqual({ host: undefined, port: 2889 });
  });
});
