import fc from 'fast-check';
import { NodeTakenError, type OwnedPartition, Partitioner } from '../../../../src/recipes/index.js';
import { assign } from '../../../../src/recipes/partitioner/assignment.js';
import { DataFixture, eventually } from '../data-fixture.js';
import { aborted } from '../fixture.js';

const fixture = new DataFixture();
beforeAll(() => fixture.start(), 60_000);
afterEach(() => fixture.cleanUp());
afterAll(() => fixture.stop());

test('every partition has one member, evenly, whatever the order of the list', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 12 }), fc.nat(40), (members, partitions) => {
      const assigned = assign(members, partitions);
      const counts = [...assigned.values()].map((own) => own.length);
      const all = [...assigned.values()].flat().sort((a, b) => a - b);
      expect(all).toEqual(members.length === 0 ? [] : Array.from({ length: partitions }, (_, i) => i));
      if (members.length > 0) expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      const reversed = assign([...members].reverse(), partitions);
      for (const id of members) expect(reversed.get(id)).toEqual(assigned.get(id));
    }),
  );
});

test('few partitions move when a member comes', () => {
  const before = assign(['a', 'b', 'c', 'd'], 100);
  const after = assign(['a', 'b', 'c', 'd', 'e'], 100);
  const moved = ['a', 'b', 'c', 'd'].flatMap((id) => before.get(id)?.filter((i) => !after.get(id)?.includes(i)) ?? []);
  expect(after.get('e')).toHaveLength(20);
  expect(moved.length).toBeLessThan(50); // by counting off it would be 80
});

/** Keeps account of who works on what; a partition with two at once is noted. */
class Account {
  readonly owners = new Map<number, string>();
  readonly doubles: string[] = [];
  readonly tokens = new Map<number, bigint>();

  /** Works on a partition until it is to let go, and then for `tidyMs` more. */
  work(id: string, tidyMs = 5): (partition: OwnedPartition) => Promise<void> {
    return async ({ index, token, signal }) => {
      const other = this.owners.get(index);
      if (other !== undefined) this.doubles.push(`${index}: ${other} and ${id}`);
      if (token <= (this.tokens.get(index) ?? 0n)) this.doubles.push(`${index}: token ${token}`);
      this.tokens.set(index, token);
      this.owners.set(index, id);
      await aborted(signal);
      await new Promise((resolve) => setTimeout(resolve, tidyMs));
      this.owners.delete(index);
    };
  }

  /** How many each member has, when all have an owner. */
  shares(partitions: number): number[] | undefined {
    if (this.owners.size < partitions) return undefined;
    const counts = new Map<string, number>();
    for (const id of this.owners.values()) counts.set(id, (counts.get(id) ?? 0) + 1);
    return [...counts.values()].sort();
  }
}

test('members share, hand over when others come and go, and never own one partition at once', async () => {
  const account = new Account();
  const options = { partitions: 6 };
  const members = await Promise.all(
    ['a', 'b', 'c'].map(async (id) => ({
      id,
      stop: new AbortController(),
      partitioner: new Partitioner(await fixture.client(), '/parts/share', { ...options, id }),
    })),
  );
  const run = ({ id, stop, partitioner }: (typeof members)[number]) =>
    partitioner.run(account.work(id), { signal: stop.signal });
  const [a, b, c] = members;
  const runs = [run(a)];
  await eventually(() => `${account.shares(6)}` === '6');
  runs.push(run(b));
  await eventually(() => `${account.shares(6)}` === '3,3');
  runs.push(run(c));
  await eventually(() => `${account.shares(6)}` === '2,2,2');
  expect([a, b, c].flatMap(({ partitioner }) => partitioner.owned).sort()).toEqual([0, 1, 2, 3, 4, 5]);
  b.stop.abort();
  await runs[1];
  await eventually(() => `${account.shares(6)}` === '3,3');
  a.stop.abort();
  c.stop.abort();
  await Promise.all(runs);
  expect(account.doubles).toEqual([]);
  const client = await fixture.client();
  for (const index of [0, 1, 2, 3, 4, 5]) {
    expect((await client.exists(`/parts/share/partitions/${index}`))?.numChildren ?? 0).toBe(0);
  }
  expect((await client.exists('/parts/share/members'))?.numChildren ?? 0).toBe(0);
}, 30_000);

test('a partition is not handed over before the work has let go', async () => {
  const account = new Account();
  const stop = new AbortController();
  const first = new Partitioner(await fixture.client(), '/parts/slow', { partitions: 2, id: 'first' });
  const second = new Partitioner(await fixture.client(), '/parts/slow', { partitions: 2, id: 'second' });
  const running = [first.run(account.work('first', 200), { signal: stop.signal })];
  await eventually(() => `${account.shares(2)}` === '2');
  running.push(second.run(account.work('second'), { signal: stop.signal }));
  await eventually(() => `${account.shares(2)}` === '1,1');
  expect(account.doubles).toEqual([]);
  stop.abort();
  await Promise.all(running);
});

test('who loses his session is told before others get his partitions, and gets a share again', async () => {
  const account = new Account();
  const stop = new AbortController();
  const linked = await fixture.linked({ sessionTimeoutMs: 2000 });
  const cut = new Partitioner(linked.client, '/parts/lost', { partitions: 4, id: 'cut' });
  const other = new Partitioner(await fixture.client(), '/parts/lost', { partitions: 4, id: 'other' });
  const running = [cut, other].map((partitioner, i) =>
    partitioner.run(account.work(['cut', 'other'][i]), { signal: stop.signal }),
  );
  await eventually(() => `${account.shares(4)}` === '2,2');
  linked.link.close();
  await eventually(() => `${account.shares(4)}` === '4');
  expect([cut.owned, other.owned]).toEqual([[], [0, 1, 2, 3]]);
  linked.link.open();
  await eventually(() => `${account.shares(4)}` === '2,2');
  stop.abort();
  await Promise.all(running);
  expect(account.doubles).toEqual([]);
}, 30_000);

test('run rejects with the error of the work, after letting all go, and with NodeTakenError', async () => {
  const client = await fixture.client();
  const account = new Account();
  const stop = new AbortController();
  const failing = new Partitioner(client, '/parts/failing', { partitions: 3, id: 'x' });
  const failed = failing.run(
    async (partition) => {
      if (partition.index === 1) throw new Error('cannot');
      await account.work('x')(partition);
    },
    { signal: stop.signal },
  );
  await expect(failed).rejects.toThrow('cannot');
  expect([account.owners.size, failing.owned]).toEqual([0, []]);
  const old = failing.run(account.work('old'), { signal: stop.signal });
  old.catch(() => {});
  await eventually(() => `${account.shares(3)}` === '3');
  const same = new Partitioner(await fixture.client(), '/parts/failing', { partitions: 3, id: 'x' });
  const fresh = same.run(account.work('fresh'), { signal: stop.signal });
  await expect(old).rejects.toBeInstanceOf(NodeTakenError);
  await eventually(() => same.owned.length === 3);
  stop.abort();
  await fresh;
  expect(account.doubles).toEqual([]);
});
