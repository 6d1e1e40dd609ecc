import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Output } from '../../../../src/cli/shell/output.js';

/** A reader that takes nothing more after `room` pieces, until drain(). */
class Reader extends EventEmitter {
  readonly pieces: Buffer[] = [];
  constructor(
    public room: number,
    readonly isTTY = false,
  ) {
    super();
  }
  write(data: string | Uint8Array): boolean {
    this.pieces.push(Buffer.from(data));
    return --this.room > 0;
  }
  drain(room: number): void {
    this.room = room;
    this.emit('drain');
  }
  get text(): string {
    return Buffer.concat(this.pieces).toString();
  }
}

const never = new AbortController().signal;
const silent = { write: () => true };

function outputTo(stdout: Reader, options: { json?: boolean; quiet?: boolean } = {}): Output {
  return new Output({ stdout, stderr: silent, env: {}, json: false, quiet: false, ...options });
}

test('a list without an end is read only as fast as somebody takes it', async () => {
  const reader = new Reader(2);
  let produced = 0;
  const lines = async function* () {
    for (;;) {
      produced++;
      yield 'x'.repeat(1023);
    }
  };
  const interrupt = new AbortController();
  const writing = outputTo(reader).result({ lines: lines(), json: null }, interrupt.signal);
  await sleep(50);
  const atHalt = produced;
  expect(atHalt).toBeLessThan(100);
  await sleep(50);
  expect(produced).toBe(atHalt);
  reader.drain(2);
  await sleep(50);
  expect(produced).toBeGreaterThan(atHalt);
  const reason = new Error('enough');
  interrupt.abort(reason);
  await expect(writing).rejects.toBe(reason);
});

test('a long line leaves in pieces, between which others get their turn; characters are not torn', async () => {
  const reader = new Reader(Number.POSITIVE_INFINITY);
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const line = '😀'.repeat(50_000);
  await outputTo(reader).result({ lines: [line], json: null }, never);
  isOver = true;
  expect(reader.pieces.length).toBeGreaterThan(10);
  expect(reader.text).toBe(`${line}\n`);
  expect(turns).toBeGreaterThan(10);
});

test('an interrupted line is ended, and nothing of the rest appears', async () => {
  const reader = new Reader(Number.POSITIVE_INFINITY);
  const interrupt = new AbortController();
  const writing = outputTo(reader).result({ lines: ['y'.repeat(1_000_000)], json: null }, interrupt.signal);
  await Promise.resolve();
  interrupt.abort(new Error('enough'));
  await expect(writing).rejects.toThrow('enough');
  expect(reader.text.length).toBeLessThan(100_000);
  expect(reader.text.endsWith('\n')).toBe(true);
});

test('an event waits for the end of the line', async () => {
  const reader = new Reader(1);
  const output = outputTo(reader);
  const writing = output.result({ lines: ['z'.repeat(40_000)], json: null }, never);
  await sleep(10);
  output.event({ type: 'created', path: '/a', zxid: 1n });
  expect(reader.text).not.toContain('WATCHER');
  reader.drain(Number.POSITIVE_INFINITY);
  await writing;
  expect(reader.text.endsWith('z\n\nWATCHER::\n\nWatchedEvent state:SyncConnected type:NodeCreated path:/a\n')).toBe(
    true,
  );
});

test('lines that come slowly are shown as they come', async () => {
  const reader = new Reader(Number.POSITIVE_INFINITY);
  let release: () => void = () => {};
  const lines = async function* () {
    yield 'first';
    yield 'second';
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    yield 'third';
  };
  const writing = outputTo(reader).result({ lines: lines(), json: null }, never);
  await sleep(20);
  expect(reader.text).toBe('first\nsecond\n');
  release();
  await writing;
  expect(reader.text).toBe('first\nsecond\nthird\n');
});

test('--json takes the value, a function for it, or a stream of them; --quiet the short lines', async () => {
  const values = async function* () {
    yield { n: 1 };
    yield { n: 2 };
  };
  const shown = async (json: unknown, options = { json: true }): Promise<string> => {
    const reader = new Reader(Number.POSITIVE_INFINITY);
    await outputTo(reader, options).result({ lines: ['long'], quietLines: ['short'], json }, never);
    return reader.text;
  };
  expect(await shown({ a: 1 })).toBe('{"a":1}\n');
  expect(await shown(async () => [1])).toBe('[1]\n');
  expect(await shown(values())).toBe('{"n":1}\n{"n":2}\n');
  expect(await shown(null, { json: false })).toBe('long\n');
  const quiet = new Reader(Number.POSITIVE_INFINITY);
  const output = outputTo(quiet, { quiet: true });
  await output.result({ lines: ['long'], quietLines: ['short'], json: null }, never);
  output.note('a remark');
  expect(quiet.text).toBe('short\n');
});

test('bytes as they are into a pipe, lines on a terminal', async () => {
  const result = { lines: ['for the eye'], bytes: Buffer.from('exactly'), json: null };
  const pipe = new Reader(Number.POSITIVE_INFINITY);
  await outputTo(pipe).result(result, never);
  expect(pipe.text).toBe('exactly');
  const terminal = new Reader(Number.POSITIVE_INFINITY, true);
  await outputTo(terminal).result(result, never);
  expect(terminal.text).toBe('for the eye\n');
});
