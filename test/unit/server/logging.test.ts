import { PassThrough, Writable } from 'node:stream';
import { createLogger, type LoggerOptions } from '../../../src/server/logging.js';

function capture(options: Partial<LoggerOptions> = {}) {
  const stream = new PassThrough();
  const now = () => new Date('2026-01-02T03:04:05.678Z');
  const logger = createLogger({ level: 'info', format: 'auto', isTerminal: false, stream, now, ...options });
  return { logger, written: () => String(stream.read() ?? '') };
}

describe('JSON lines', () => {
  test('one record is one object', () => {
    const { logger, written } = capture();
    logger.info('session opened', { sessionId: 0x100000000000001n, timeoutMs: 4000, absent: undefined });
    expect(written()).toBe(
      '{"time":"2026-01-02T03:04:05.678Z","level":"info","message":"session opened","sessionId":"72057594037927937","timeoutMs":4000}\n',
    );
  });

  test('errors keep name, message, code, cause and stack', () => {
    const { logger, written } = capture();
    logger.error('x', { error: Object.assign(new TypeError('bad', { cause: new Error('why') }), { code: 'EBAD' }) });
    const { error } = JSON.parse(written());
    expect(error).toMatchObject({ name: 'TypeError', message: 'bad', code: 'EBAD', cause: { message: 'why' } });
    expect(error.stack).toContain('logging.test');
  });

  test('nothing handed over makes it throw, and reserved names are kept apart', () => {
    const { logger, written } = capture();
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const trap = {
      get inner(): never {
        throw new Error('trap');
      },
    };
    logger.warn('odd', {
      circle,
      trap,
      nan: Number.NaN,
      bytes: new Uint8Array([0, 255]),
      long: new Uint8Array(100),
      map: new Map([['a', 1n]]),
      set: new Set([1]),
      message: 'mine',
    });
    expect(JSON.parse(written())).toMatchObject({
      message: 'odd',
      message_: 'mine',
      circle: { self: '<circular>' },
      trap: { inner: '<unreadable>' },
      nan: 'NaN',
      bytes: '00ff',
      long: `${'00'.repeat(32)}… (100 bytes)`,
      map: { a: '1' },
      set: [1],
    });
  });
});

describe('text', () => {
  test('one line, fields behind, quoted where needed, no colour off a terminal', () => {
    const { logger, written } = capture({ format: 'text' });
    logger.warn('slow\nfsync', { path: '/a b', durationMs: 12, zxid: 5n, error: new Error('disk'), list: [1, 2] });
    expect(written()).toBe(
      '2026-01-02T03:04:05.678Z WARN  slow\\nfsync path="/a b" durationMs=12 zxid=5 error="Error: disk" list=[1,2]\n',
    );
  });

  test('a terminal gets text with colours', () => {
    const { logger, written } = capture({ isTerminal: true });
    logger.error('x');
    expect(written()).toContain('\x1b[31mERROR\x1b[0m x');
  });

  test('control characters from outside cannot forge a record or move the cursor', () => {
    const { logger, written } = capture({ format: 'text' });
    logger.info('\x1b[2J', { path: '/x\r\n2026 ERROR forged\x1b' });
    const text = written();
    expect(text.split('\n')).toHaveLength(2);
    expect(text.slice(0, -1)).not.toMatch(/\p{Cc}/u);
  });
});

describe('levels and streams', () => {
  test('less severe records are not written', () => {
    const { logger, written } = capture({ level: 'warn' });
    logger.debug('a');
    logger.info('b');
    expect(written()).toBe('');
    logger.warn('c');
    expect(written()).toContain('"c"');
  });

  test('a stream that fails does no harm', async () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const { logger } = capture({ stream });
    logger.info('a');
    await new Promise((resolve) => setImmediate(resolve));
    expect(() => logger.info('b')).not.toThrow();
  });
});
