import { connect } from '../../../src/client/index.js';
import { resolveOptions } from '../../../src/client/options.js';

test('a session timeout is what fits on the wire', () => {
  expect(resolveOptions('a', { sessionTimeoutMs: Number.POSITIVE_INFINITY }).session.sessionTimeoutMs).toBe(
    2 ** 31 - 1,
  );
  expect(resolveOptions('a', { sessionTimeoutMs: 1500.4 }).session.sessionTimeoutMs).toBe(1500);
  for (const sessionTimeoutMs of [0, -1, Number.NaN]) {
    expect(() => resolveOptions('a', { sessionTimeoutMs })).toThrow(`sessionTimeoutMs is ${sessionTimeoutMs}`);
  }
});

test('a time that is longer than timers are does not strike at once', async () => {
  const stop = new AbortController();
  const nobody = connect('127.0.0.1:1', { connectTimeoutMs: 2 ** 40, signal: stop.signal });
  const early = nobody.catch((error: unknown) => error);
  await new Promise((resolve) => setTimeout(resolve, 50));
  stop.abort(new Error('long enough'));
  await expect(early).resolves.toMatchObject({ message: 'long enough' });
});

test('TLS: material that is no good is said at once, and without any there is no TLS', () => {
  expect(resolveOptions('a', {}).tls).toBeUndefined();
  expect(resolveOptions('a', { tls: false }).tls).toBeUndefined();
  expect(resolveOptions('a', { tls: true }).tls).toMatchObject({ rejectUnauthorized: true });
  const open = resolveOptions('a', { tls: { servername: 'zk', rejectUnauthorized: false } }).tls;
  expect(open).toMatchObject({ servername: 'zk', rejectUnauthorized: false });
  for (const tls of [{ key: 'garbage' }, { cert: Buffer.from('garbage') }, { pfx: Buffer.from('garbage') }]) {
    expect(() => resolveOptions('a', { tls })).toThrow(/^connect failed: tls: .*\(BadArguments\)$/);
  }
});
