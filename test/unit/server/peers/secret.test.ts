/** Servers that share a secret link; nobody else does, and nobody learns it. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  decodeGreeting,
  encodeGreeting,
  type Greeting,
  helloBody,
  parseHello,
} from '../../../../src/server/peers/greeting.js';
import type { PeerMember } from '../../../../src/server/peers/index.js';
import { openPeerSecret, PeerSecret } from '../../../../src/server/peers/secret.js';
import { removeDirectory, temporaryDirectory } from '../../../helpers/processes.js';
import { TcpProxy } from '../../../helpers/tcp-proxy.js';
import { Cleanup, membersOf, type RawPeer, rawPeer } from './ensemble.js';

const SECRET = 'distinctive-0123456789';
const secret = new PeerSecret(SECRET);
const other = new PeerSecret('another-one-entirely');
const optional = new PeerSecret(SECRET, false);

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** Two servers; what each says when it is turned away, or `linked`. */
async function outcome(first: PeerSecret | null, second: PeerSecret | null): Promise<string> {
  const members = await membersOf(2);
  const one = cleanup.server(1, members, { secret: first });
  const two = cleanup.server(2, members, { secret: second });
  await Promise.all([one.links.listen(), two.links.listen()]);
  const linked = Promise.all([one.events.until('connected 2'), two.events.until('connected 1')]).then(() => 'linked');
  const refused = two.log
    .until(/^warn refused/)
    .then(() => two.log.list.find((line) => line.startsWith('warn refused')));
  return (await Promise.race([linked, refused])) as string;
}

describe('two servers', () => {
  test('with the same secret link', async () => {
    expect(await outcome(secret, new PeerSecret(SECRET))).toBe('linked');
  });

  test.each<[string, PeerSecret | null, PeerSecret | null, RegExp]>([
    [
      'another secret',
      secret,
      other,
      /refused by server 1 .*does not have the secret of server 1.*same quorum\.auth\.secret/,
    ],
    [
      'none on the side that dials',
      secret,
      null,
      /refused by server 1 .*server 2 at .* has none: give it the same one/,
    ],
    [
      'none on the side that is dialled',
      null,
      secret,
      /refused server 1 .*server 1 at .* has none: give it the same one/,
    ],
  ])('with %s do not, and are told why', async (_what, first, second, reason) => {
    const told = await outcome(first, second);
    expect(told).toMatch(reason);
    expect(told).not.toContain(SECRET);
  });

  test.each<[string, PeerSecret | null, PeerSecret | null]>([
    ['the first has it', optional, null],
    ['the second has it', null, optional],
    ['both have it', optional, secret],
  ])('link while the secret is being introduced: %s', async (_what, first, second) => {
    expect(await outcome(first, second)).toBe('linked');
  });

  test('with another secret do not link even where it is not demanded', async () => {
    expect(await outcome(optional, other)).toMatch(/does not have the secret/);
  });
});

/** Speaks as server 2 by hand. */
class Impostor {
  private seen = 0;

  constructor(
    private readonly raw: RawPeer,
    private readonly members: readonly PeerMember[],
  ) {}

  hello(nonce: string | undefined, incarnation = '0000000000000002'): string {
    return helloBody({ cluster: '', sender: 2, recipient: 1, incarnation, members: this.members, nonce });
  }

  say(kind: Greeting['kind'], body: string): void {
    this.raw.socket.write(encodeGreeting(kind, body));
  }

  async hear(): Promise<Greeting | null> {
    for (;;) {
      const bytes = this.raw.received().subarray(this.seen);
      const decoded = bytes.length === 0 ? 'more' : decodeGreeting(bytes);
      if (decoded === null) throw new Error('no greeting');
      if (decoded !== 'more') {
        this.seen += decoded.end;
        return decoded.greeting;
      }
      const before = this.raw.received().length;
      await Promise.race([this.raw.bytes(before + 1), this.raw.closed]);
      if (this.raw.received().length === before) return null;
    }
  }
}

async function attacked() {
  const members = await membersOf(2);
  const one = cleanup.server(1, members, { secret });
  await one.links.listen();
  const impostor = () => {
    const raw = cleanup.add(rawPeer(members[0]!.port), ({ socket }) => socket.destroy());
    return new Impostor(raw, members);
  };
  return { one, impostor };
}

const NONCE = '00'.repeat(16);

describe('who does not know the secret', () => {
  test('hears no proof, whatever he says, and makes no link', async () => {
    const { one, impostor } = await attacked();
    for (const proof of ['', '0'.repeat(64), other.proof('dialler', 'x', 'y')]) {
      const stranger = impostor();
      stranger.say('hello', stranger.hello(NONCE));
      const welcome = await stranger.hear();
      expect(welcome?.kind).toBe('welcome');
      expect(parseHello(welcome?.body ?? '')?.nonce).toMatch(/^[0-9a-f]{32}$/);
      stranger.say('ready', proof);
      const answer = await stranger.hear();
      expect(answer?.kind).toBe('refused');
      expect(answer?.body).not.toMatch(/[0-9a-f]{32}/);
    }
    expect(one.events.list).toEqual([]);
  });

  test('gains nothing by repeating what a server has said', async () => {
    const { one, impostor } = await attacked();
    // A server that knows the secret, and somebody who writes down all it says.
    const recorded = impostor();
    const hello = recorded.hello(NONCE);
    recorded.say('hello', hello);
    const welcome = await recorded.hear();
    const proof = secret.proof('dialler', hello, welcome?.body ?? '');
    recorded.say('ready', proof);
    const proven = await recorded.hear();
    expect(proven?.kind).toBe('proven');
    expect(secret.isProof(proven?.body ?? '', 'dialled', hello, welcome?.body ?? '')).toBe(true);
    await one.events.until('connected 2');
    const repeated = impostor();
    repeated.say('hello', hello.replace('0000000000000002', '0000000000000003'));
    const again = await repeated.hear();
    expect(parseHello(again?.body ?? '')?.nonce).not.toBe(parseHello(welcome?.body ?? '')?.nonce);
    for (const text of [proof, proven?.body ?? '']) expect(text).toMatch(/^[0-9a-f]{64}$/);
    repeated.say('ready', proof);
    expect((await repeated.hear())?.kind).toBe('refused');
    expect(one.events.count(/^connected/)).toBe(1);
  });

  test('gains nothing by handing a proof back to the one who made it', async () => {
    const hello = 'h';
    const welcome = 'w';
    expect(secret.isProof(secret.proof('dialled', hello, welcome), 'dialler', hello, welcome)).toBe(false);
    expect(secret.isProof(secret.proof('dialler', welcome, hello), 'dialler', hello, welcome)).toBe(false);
    expect(secret.isProof(secret.proof('dialler', 'h","w', ''), 'dialler', 'h', 'w')).toBe(false);
  });

  test('is not believed by the one who dials: an answer without a proof makes no link', async () => {
    const members = await membersOf(2);
    const impostor = cleanup.server(1, members, { secret: other });
    const two = cleanup.server(2, members, { secret });
    await Promise.all([impostor.links.listen(), two.links.listen()]);
    await two.log.until(/^warn refused/);
    expect(two.events.list).toEqual([]);
    expect(impostor.events.list).toEqual([]);
  });
});

test('the secret is never on the wire, and neither introduction nor proof comes twice', async () => {
  const members = await membersOf(2);
  const proxy = await TcpProxy.open(members[0]!.port);
  cleanup.add(proxy, () => proxy.close());
  const chunks: Buffer[] = [];
  proxy.onBytes = (bytes) => chunks.push(bytes);
  const behind = members.map((member) => (member.id === 1 ? { ...member, port: proxy.port } : member));
  const one = cleanup.server(1, members, { secret });
  const two = cleanup.server(2, behind, { secret });
  await Promise.all([one.links.listen(), two.links.listen()]);
  await Promise.all([one.events.until('connected 2'), two.events.until('connected 1')]);
  two.links.reset(1, 'again');
  await Promise.all([one.events.until('connected 2', 2), two.events.until('connected 1', 2)]);
  const wire = Buffer.concat(chunks).toString('latin1');
  expect(wire).not.toContain(SECRET);
  const numbers = wire.match(/[0-9a-f]{64}|"nonce":"[0-9a-f]{32}"/g) ?? [];
  expect(numbers).toHaveLength(8);
  expect(new Set(numbers).size).toBe(8);
});

describe('the file', () => {
  const directory = temporaryDirectory('zabra-secret');
  afterAll(() => removeDirectory(directory));
  const open = (quorumSecretPath: string) =>
    openPeerSecret({ quorumSecret: undefined, quorumSecretPath, quorumSecretRequired: true });

  test('is read without the line end behind it; one that cannot be used is refused and not quoted', () => {
    const file = join(directory, 'secret');
    writeFileSync(file, `${SECRET}\n`);
    chmodSync(file, 0o600);
    expect(open(file)?.proof('dialler', 'a', 'b')).toBe(secret.proof('dialler', 'a', 'b'));
    writeFileSync(file, 'short-one\n');
    expect(() => open(file)).toThrow('holds 9 characters');
    expect(() => open(file)).not.toThrow('short-one');
    expect(() => open(join(directory, 'none'))).toThrow('cannot be read (ENOENT)');
  });
});
