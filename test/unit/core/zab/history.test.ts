/** The end of the log in memory, against a twin that keeps everything and searches from the front. */
import fc from 'fast-check';
import { epochOf } from '../../../../protocol/ids.js';
import { lastZxid } from '../../../../protocol/peer/entries.js';
import { History, type LoggedBatch } from '../../../../src/core/zab/history.js';
import { AssertionFailure } from '../../../../src/std/assert.js';
import { batchAt, z } from './fixture.js';

const START = z(2, 9);

class Twin {
  start = START;
  executed: LoggedBatch[] = [];
  due: LoggedBatch[] = [];
  constructor(private readonly bytesMax: number) {}

  get kept(): LoggedBatch[] {
    return [...this.executed, ...this.due];
  }

  /** Where histories may part, oldest first. */
  get ends(): number[] {
    return [this.start, ...this.kept.map(({ batch }) => lastZxid(batch))];
  }

  get last(): number {
    return this.ends.at(-1) as number;
  }

  executeUpTo(zxid: number): LoggedBatch[] {
    const now = this.due.filter(({ batch }) => lastZxid(batch) <= zxid);
    this.due = this.due.slice(now.length);
    this.executed.push(...now);
    while (this.executed.reduce((sum, { bytes }) => sum + bytes.length, 0) > this.bytesMax) {
      this.start = lastZxid((this.executed.shift() as LoggedBatch).batch);
    }
    return now;
  }

  truncateAfter(zxid: number): LoggedBatch[] {
    const cut = this.due.filter(({ batch }) => lastZxid(batch) > zxid);
    this.due = this.due.filter(({ batch }) => lastZxid(batch) <= zxid);
    return cut;
  }
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('append'), length: fc.integer({ min: 1, max: 4 }), size: fc.nat(9) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('newEpoch'), length: fc.integer({ min: 1, max: 2 }), size: fc.nat(9) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('execute'), length: fc.nat(30), size: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('truncate'), length: fc.nat(30), size: fc.constant(0) }) },
);

test('whatever is appended, executed and taken back: it is like the twin', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(30), (steps, bytesMax) => {
      const history = new History(bytesMax);
      history.reset(START);
      const twin = new Twin(bytesMax);
      for (const { do: what, length, size } of steps) {
        if (what === 'append' || what === 'newEpoch') {
          const first = what === 'append' ? twin.last + 1 : z(epochOf(twin.last) + 1, 1);
          const logged = { batch: batchAt(first, length), bytes: new Uint8Array(size) };
          history.append(logged.batch, logged.bytes);
          twin.due.push(logged);
        } else if (what === 'execute') {
          const executed: unknown[] = [];
          const zxid = twin.last - length;
          history.executeUpTo(zxid, (batch) => executed.push(batch));
          expect(executed).toEqual(twin.executeUpTo(zxid).map(({ batch }) => batch));
        } else {
          const ends = twin.ends.slice(twin.executed.length);
          const zxid = ends[length % ends.length];
          expect(history.truncateAfter(zxid)).toEqual(twin.truncateAfter(zxid));
        }
        compare(history, twin);
      }
    }),
    { numRuns: 200 },
  );
});

function compare(history: History, twin: Twin): void {
  const { ends, kept } = twin;
  expect([history.start, history.lastZxid, history.pending]).toEqual([twin.start, twin.last, twin.due.length]);
  const probes = new Set([0, ...ends, ...ends.map((end) => end - 1), ...ends.map((end) => end + 1)]);
  for (const zxid of probes) {
    expect(history.has(zxid)).toBe(ends.includes(zxid));
    const before = ends.filter((end) => end <= zxid).at(-1) ?? null;
    expect(history.endBefore(zxid)).toBe(before);
    const next = zxid === twin.last ? undefined : ends.includes(zxid) ? kept[ends.indexOf(zxid)] : null;
    expect(history.after(zxid)).toEqual(next);
  }
}

test('what comes next: the zxid after the last one, or the first of a later epoch', () => {
  const history = new History(0);
  expect([z(1, 1), z(7, 1), 1, z(1, 2), 2].map((zxid) => history.continuesWith(zxid))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
  history.reset(START);
  expect(history.continuesWith(START + 1)).toBe(true);
  for (const wrong of [START, START + 2, z(1, 1), z(2, 1), z(3, 2)]) {
    expect(history.continuesWith(wrong)).toBe(false);
    expect(() => history.append(batchAt(wrong), new Uint8Array(0))).toThrow(AssertionFailure);
  }
});

test('its ends: one for each epoch that is not all executed, newest first, then what is executed', () => {
  const history = new History(1000);
  history.reset(START);
  expect(history.ends(START)).toEqual([START]);
  for (const [epoch, counter] of [
    [2, 10],
    [3, 1],
    [3, 2],
    [5, 1],
  ]) {
    history.append(batchAt(z(epoch, counter)), new Uint8Array(1));
  }
  expect(history.ends(START)).toEqual([z(5, 1), z(3, 2), z(2, 10), START]);
  history.executeUpTo(z(3, 1), () => {});
  expect(history.ends(z(3, 1))).toEqual([z(5, 1), z(3, 2), z(3, 1)]);
});

test('only the ends of batches, and nothing that was executed, can be cut', () => {
  const history = new History(1000);
  history.append(batchAt(z(1, 1), 3), new Uint8Array(1));
  history.append(batchAt(z(1, 4), 3), new Uint8Array(1));
  history.executeUpTo(z(1, 3), () => {});
  expect(() => history.truncateAfter(z(1, 5))).toThrow(AssertionFailure);
  expect(() => history.truncateAfter(0)).toThrow(AssertionFailure);
  expect(history.truncateAfter(z(1, 3))).toHaveLength(1);
});

test('a batch is executed whole or not at all', () => {
  const history = new History(0);
  history.append(batchAt(z(1, 1), 3), new Uint8Array(1));
  const executed: number[] = [];
  history.executeUpTo(z(1, 2), ({ firstZxid }) => executed.push(firstZxid));
  expect(executed).toEqual([]);
  history.executeUpTo(z(1, 3), ({ firstZxid }) => executed.push(firstZxid));
  expect(executed).toEqual([z(1, 1)]);
});

test('thousands of batches pass through a small window', () => {
  const history = new History(10);
  let executed = 0;
  for (let counter = 1; counter <= 5000; counter++) {
    history.append(batchAt(z(1, counter)), new Uint8Array(1));
    history.executeUpTo(z(1, counter) - 2, () => executed++);
    const oldest = Math.max(0, counter - 12);
    expect(history.start).toBe(oldest === 0 ? 0 : z(1, oldest));
    expect(history.after(history.start)?.batch.firstZxid).toBe(z(1, oldest + 1));
  }
  expect([executed, history.pending]).toEqual([4998, 2]);
});
