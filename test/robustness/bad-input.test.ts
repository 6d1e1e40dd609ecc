/**
 * Requests that no client would write. Each gets exactly one answer, in its turn, and the connection lives on; none
 * ends the process, is answered with a server's failure, or disturbs the client beside it.
 */
import {
  CLOSE_SESSION,
  type Frame,
  FrameClient,
  framed,
  multiBody,
  Op,
  readBody,
  requestFrame,
} from '../helpers/frame-client.js';
import { HealthyClient } from '../helpers/healthy-client.js';
import { harmless, hostile } from '../helpers/hostile-values.js';
import { fourLetterWord } from '../helpers/processes.js';
import { ServerProcess } from '../helpers/server-process.js';
import { JuteWriter } from '../interop/wire/jute.js';
import { OPERATIONS, type OperationName, operation } from '../interop/wire/operations.js';

const MARSHALLING_ERROR = -5;
const UNIMPLEMENTED = -6;
const SYSTEM_ERROR = -1;
const AUTH_FAILED = -115;
const HEALTHY_MS = 1000;

/** These end the connection, and are looked at one by one. */
const ENDING: readonly OperationName[] = ['auth', 'closeSession'];
/** What a client may not send at all. */
const REFUSED: readonly OperationName[] = ['check', 'deleteContainer'];

let server: ServerProcess;
let healthy: HealthyClient;
beforeAll(async () => {
  server = await ServerProcess.start({ minSessionTimeout: '1000', maxSessionTimeout: '60000' });
  healthy = await HealthyClient.start(server.port);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** Sends all bodies at once and returns the answers, which must come one for one and in order. */
async function answersTo(requests: readonly { operation: number; body: Uint8Array }[]): Promise<Frame[]> {
  const client = await FrameClient.session(server.port);
  client.send(Buffer.concat(requests.map(({ operation: code, body }, i) => requestFrame(i + 1, code, body))));
  const answers: Frame[] = [];
  for (let i = 0; i < requests.length; i++) {
    const answer = await client.nextReply();
    if (answer === 'closed') throw new Error(`request ${i} of ${requests.length} was answered by a hang-up`);
    expect(answer.xid).toBe(i + 1);
    answers.push(answer);
  }
  expect((await client.call(Op.ping)).err).toBe(0);
  client.close();
  return answers;
}

const all = (Object.keys(OPERATIONS) as OperationName[]).filter((name) => !ENDING.includes(name));

test.each(all)('%s with every field mistreated in every way is answered, and the connection lives on', async (name) => {
  const { code, request } = operation(name);
  const values = [...hostile(request), { what: 'harmless', bytes: harmless(request) }];
  const answers = await answersTo(values.map(({ bytes }) => ({ operation: code, body: bytes })));
  answers.forEach(({ err }, i) => {
    if (err === SYSTEM_ERROR) throw new Error(`${name} with ${values[i].what} was answered with SystemError`);
    if (REFUSED.includes(name)) expect(err).toBe(UNIMPLEMENTED);
  });
});

test.each(all.filter((name) => operation(name).request.fields.length > 0))(
  '%s cut short at every byte is a marshalling error, and never more (E10)',
  async (name) => {
    const { code, request } = operation(name);
    const whole = harmless(request);
    const cuts = Array.from({ length: whole.length }, (_, length) => whole.subarray(0, length));
    const answers = await answersTo(cuts.map((body) => ({ operation: code, body })));
    const expected = REFUSED.includes(name) ? UNIMPLEMENTED : MARSHALLING_ERROR;
    for (const { err } of answers) expect(err).toBe(expected);
  },
);

test('numbers that are no operation are refused and disturb nothing (E11)', async () => {
  const codes = [0, -1, -2, -10, -12, 10, 13, 20, 23, 99, 108, 500, 507, 0x7fff_ffff, -0x8000_0000];
  const answers = await answersTo(codes.map((code) => ({ operation: code, body: readBody('/') })));
  expect(answers.map(({ err }) => err)).toEqual(codes.map(() => UNIMPLEMENTED));
});

describe('multi', () => {
  const part = (code: number, body: Uint8Array, done = false, err = -1) =>
    new JuteWriter().int(code).bool(done).int(err).raw(body).bytes();
  const end = part(-1, Buffer.alloc(0), true);
  const createPart = part(Op.create, harmless(OPERATIONS.create.request));
  const cases: readonly (readonly [what: string, body: Buffer, err: number])[] = [
    ['nothing', Buffer.alloc(0), MARSHALLING_ERROR],
    ['no end', createPart, MARSHALLING_ERROR],
    ['only an end', end, 0],
    ['an end with another type and error', part(99, Buffer.alloc(0), true, 7), 0],
    ['bytes behind the end', Buffer.concat([end, Buffer.from('garbage')]), 0],
    ['a multi inside', Buffer.concat([part(Op.multi, end), end]), MARSHALLING_ERROR],
    ['a read inside', Buffer.concat([part(Op.getData, readBody('/')), end]), MARSHALLING_ERROR],
    ['a closeSession inside', Buffer.concat([part(CLOSE_SESSION, Buffer.alloc(0)), end]), MARSHALLING_ERROR],
    ['a session opened inside', Buffer.concat([part(-10, Buffer.alloc(64)), end]), MARSHALLING_ERROR],
    ['a part cut short', Buffer.concat([createPart.subarray(0, 20), end]), MARSHALLING_ERROR],
    ['a null path', Buffer.concat([part(Op.delete, new JuteWriter().int(-1).int(0).bytes()), end]), MARSHALLING_ERROR],
  ];

  test.each(cases)('with %s', async (_what, body, err) => {
    const [answer] = await answersTo([{ operation: Op.multi, body }]);
    expect(answer.err).toBe(err);
  });

  test('with every field of every part mistreated', async () => {
    const names = ['create', 'create2', 'createContainer', 'createTTL', 'delete', 'setData', 'check'] as const;
    const bodies = names.flatMap((name) =>
      hostile(operation(name).request).map(({ bytes }) => multiBody([[operation(name).code, bytes]])),
    );
    const answers = await answersTo(bodies.map((body) => ({ operation: Op.multi, body })));
    for (const { err } of answers) expect(err).not.toBe(SYSTEM_ERROR);
  });

  test('of ten thousand parts is one request like any other', async () => {
    const parts = new Array(10_000).fill([Op.delete, new JuteWriter().string('/none').int(-1).bytes()]);
    const [answer] = await answersTo([{ operation: Op.multi, body: multiBody(parts) }]);
    expect(answer.err).toBe(0);
    expect(answer.body.readInt32BE(0)).toBe(-1); // the first part failed, so all have
  });

  test('that reads the largest node thousands of times does not get it all', async () => {
    const client = await FrameClient.session(server.port);
    await client.call(
      Op.create,
      new JuteWriter()
        .string('/large')
        .buffer(new Uint8Array(1_000_000))
        .int(1)
        .int(31)
        .string('world')
        .string('anyone')
        .int(0)
        .bytes(),
    );
    const before = server.residentBytes;
    const { err } = await client.call(22, multiBody(new Array(20_000).fill([Op.getData, readBody('/large')])));
    expect(err).not.toBe(0);
    expect(server.residentBytes - before).toBeLessThan(256 * 1024 * 1024);
    client.close();
  });
});

describe('authentication', () => {
  const auth = (type: number, scheme: string | null, credentials: Uint8Array | null) =>
    new JuteWriter().int(type).string(scheme).buffer(credentials).bytes();
  const refused: readonly (readonly [what: string, body: Buffer])[] = [
    ['nothing at all', Buffer.alloc(0)],
    ['a null scheme', auth(0, null, Buffer.from('a:b'))],
    ['null credentials', auth(0, 'digest', null)],
    ['empty credentials', auth(0, 'digest', Buffer.alloc(0))],
    ['an unknown scheme', auth(0, 'kerberos', Buffer.from('a:b'))],
    ['credentials of half a megabyte', auth(0, 'digest', Buffer.from(`a:${'b'.repeat(500_000)}`))],
  ];

  test.each(refused)('with %s fails and ends the connection (E12)', async (_what, body) => {
    const client = await FrameClient.session(server.port);
    client.send(requestFrame(-4, 100, body));
    expect(await client.nextReply()).toMatchObject({ xid: -4, err: AUTH_FAILED });
    expect(await client.nextReply()).toBe('closed');
  });

  test('cannot be piled up without end', async () => {
    const client = await FrameClient.session(server.port);
    const frames = Array.from({ length: 1000 }, (_, i) =>
      requestFrame(-4, 100, auth(0, 'digest', Buffer.from(`user${i}:x`))),
    );
    client.send(Buffer.concat(frames));
    let accepted = 0;
    for (;;) {
      const reply = await client.nextReply();
      if (reply === 'closed') break;
      if (reply.err === 0) accepted++;
    }
    expect(accepted).toBeGreaterThan(10);
    expect(accepted).toBeLessThan(1000);
  });
});

describe('what is no request', () => {
  const lengths = [-1, -0x8000_0000, 0x7fff_ffff, 1_048_576];

  test.each(lengths)(
    'a frame of length %i ends the connection, before and after the handshake (E1)',
    async (length) => {
      const head = new JuteWriter().int(length).bytes();
      const stranger = await FrameClient.connect(server.port);
      stranger.send(head);
      expect(await stranger.next()).toBe('closed');
      const client = await FrameClient.session(server.port);
      client.send(head);
      expect(await client.nextReply()).toBe('closed');
    },
  );

  test.each([0, 1, 7])('a frame of %i bytes has no header and ends the connection', async (length) => {
    const client = await FrameClient.session(server.port);
    client.send(framed(new Uint8Array(length)));
    expect(await client.nextReply()).toBe('closed');
  });

  test('a greeting cut short at any byte, or with a password too long, is none', async () => {
    const greeting = new JuteWriter().int(0).long(0n).int(30_000).long(0n).buffer(new Uint8Array(16)).bytes();
    for (let length = 0; length < greeting.length; length++) {
      const stranger = await FrameClient.connect(server.port);
      stranger.send(framed(greeting.subarray(0, length)));
      expect(await stranger.next()).toBe('closed');
    }
    for (const passwordLength of [0x7fff_ffff, -2, 17]) {
      const stranger = await FrameClient.connect(server.port);
      stranger.send(
        framed(
          new JuteWriter().int(0).long(0n).int(30_000).long(0n).int(passwordLength).raw(new Uint8Array(16)).bytes(),
        ),
      );
      expect(await stranger.next()).toBe('closed');
    }
  });

  test('a session that is not there, or a wrong password, is refused with zeros (E4)', async () => {
    const owner = await FrameClient.session(server.port);
    const wrong = Uint8Array.from(owner.password, (byte) => byte ^ 1);
    for (const request of [
      { sessionId: owner.sessionId, password: wrong },
      { sessionId: owner.sessionId, password: owner.password.subarray(0, 15) },
      { sessionId: owner.sessionId, password: new Uint8Array(0) },
      { sessionId: owner.sessionId + 1n, password: owner.password },
      { sessionId: -1n, password: owner.password },
      { sessionId: 2n ** 63n - 1n, password: owner.password },
    ]) {
      const stranger = await FrameClient.session(server.port, request);
      expect([stranger.timeoutMs, stranger.sessionId, [...stranger.password]]).toEqual([0, 0n, new Array(16).fill(0)]);
      expect(await stranger.next()).toBe('closed');
    }
    expect((await owner.call(Op.ping)).err).toBe(0); // the owner never noticed
    owner.close();
  });
});

test('the client beside all this was served within a second throughout', async () => {
  const { failure, rounds, worstMs } = await healthy.stop();
  expect(failure).toBeNull();
  expect(rounds).toBeGreaterThan(10);
  expect(worstMs).toBeLessThan(HEALTHY_MS);
  expect(server.alive).toBe(true);
});

test('and all that was stored on the way is found again after a crash', async () => {
  const before = await fourLetterWord(server.port, 'hash');
  await server.end('SIGKILL');
  await server.start();
  expect(await fourLetterWord(server.port, 'hash')).toBe(before);
});
