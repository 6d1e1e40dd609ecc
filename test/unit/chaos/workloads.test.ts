/** Every workload's checker is shown notes that are as they should be, and then some in which one thing is wrong. */
import { longestGapMs, type Operation } from '../../chaos/history.js';
import { durability } from '../../chaos/workloads/durability.js';
import { ephemerals } from '../../chaos/workloads/ephemerals.js';
import { locks } from '../../chaos/workloads/locks.js';
import { reads } from '../../chaos/workloads/reads.js';
import { register } from '../../chaos/workloads/register.js';
import { sequences } from '../../chaos/workloads/sequences.js';
import { transfers } from '../../chaos/workloads/transfers.js';
import { watches } from '../../chaos/workloads/watches.js';
import { checkPresence, type Workload } from '../../chaos/workloads/workload.js';

type Note = Partial<Operation> & Pick<Operation, 'name'>;

/** Notes a ms apart, each taking half of one, all well answered unless they say otherwise. */
function notes(...list: readonly Note[]): Operation[] {
  return list.map((note, i) => ({
    workload: '',
    process: 0,
    key: '/k',
    startMs: i,
    endMs: i + 0.5,
    outcome: 'ok',
    ...note,
  }));
}

function expectRefused({ check }: Workload, reason: RegExp, ...list: readonly Note[]): void {
  expect(check(notes(...list))).toEqual(expect.arrayContaining([expect.stringMatching(reason)]));
}

function expectAccepted({ check }: Workload, ...list: readonly Note[]): void {
  expect(check(notes(...list))).toEqual([]);
}

test('register: each node by itself', () => {
  const read = (key: string, version: number): Note => ({ name: 'read', key, output: { version, value: '' } });
  expectAccepted(register, read('/a', 0), read('/b', 0));
  expectRefused(register, /^\/b is not linearizable.*process 0: read \/b/, read('/a', 0), read('/b', 1));
});

describe('reads', () => {
  const read = (process: number, version: number, value: string): Note => {
    return { name: 'read', process, output: { version, value } };
  };
  const write = (process: number, input: string, version: number): Note => {
    return { name: 'write', process, input, output: { version } };
  };

  test('accepted: another client is behind', () => {
    expectAccepted(reads, write(0, 'a', 1), write(0, 'b', 2), read(1, 1, 'a'), read(0, 2, 'b'), read(1, 2, 'b'));
  });

  test('refused', () => {
    const [a, b] = [write(0, 'a', 1), write(0, 'b', 2)];
    expectRefused(reads, /back in time/, a, b, read(1, 2, 'b'), read(1, 1, 'a'));
    expectRefused(reads, /back in time/, a, b, read(0, 1, 'a'));
    expectRefused(reads, /two contents/, a, b, read(1, 1, 'b'));
    expectRefused(reads, /nobody wrote/, a, read(1, 1, 'c'));
  });
});

describe('locks', () => {
  const held = (process: number, token: string, isAccepted = true): Note => {
    return { name: 'held', process, output: { token, isAccepted } };
  };
  const acquire = (process: number, output: string): Note => ({ name: 'acquire', process, output });

  test('accepted', () => {
    expectAccepted(locks, acquire(0, '9'), held(0, '9'), held(0, '9'), acquire(1, '10'), held(1, '10'));
  });

  test('refused', () => {
    expectRefused(locks, /two hold the lock/, held(0, '9'), held(1, '10'), held(0, '9'));
    expectRefused(locks, /refused for its token/, held(1, '10'), held(0, '9', false));
    expectRefused(locks, /given out twice/, acquire(0, '9'), acquire(1, '9'));
  });
});

describe('ephemerals', () => {
  const created: Note = { name: 'create', output: '7' };
  const see = (output: boolean): Note => ({ name: 'see', process: 1, output });
  const own = (isThere: boolean, session = '7'): Note => ({ name: 'own', output: { session, isThere } });

  test('accepted: gone with a session that may have expired', () => {
    expectAccepted(ephemerals, created, see(true), own(true), see(false), own(false, '8'));
  });

  test('refused', () => {
    expectRefused(ephemerals, /gone while its session lives/, created, see(false), own(true));
    expectRefused(ephemerals, /does not see its own node/, created, own(false));
    expectRefused(ephemerals, /outlive their sessions/, created, { name: 'left', output: ['0-1'] });
  });
});

describe('sequences', () => {
  const create = (output: number, more: Partial<Operation> = {}): Note => ({ name: 'create', output, ...more });
  const list = (process: number, ...output: number[]): Note => ({ name: 'list', process, output });

  test('accepted: unordered when they were asked for at the same time', () => {
    const both = { startMs: 0, endMs: 9 };
    expectAccepted(sequences, create(2, both), create(1, both), list(4, 1, 2, 3), list(5, 1, 2, 3));
  });

  test('refused', () => {
    expectRefused(sequences, /given out twice/, create(1), create(1));
    expectRefused(sequences, /a later number is lower/, create(2), create(1));
    expectRefused(sequences, /1 lost, as found by process 5/, create(1), create(2), list(4, 1, 2), list(5, 1));
    expectRefused(sequences, /4 and 5 find different/, create(1), list(4, 1, 2), list(5, 1, 3));
  });
});

describe('watches', () => {
  const arm = (input: number, output: number): Note => ({ name: 'arm', input, output });
  const event = (input: number): Note => ({ name: 'event', input, output: 'dataChanged' });
  const read = (version: number): Note => ({ name: 'read', output: { version, value: '' } });

  test('accepted: an event may be noted before the answer that set the watch', () => {
    expectAccepted(watches, arm(1, 1), read(1), event(1), read(2), event(2), arm(2, 3), event(3), arm(3, 4), read(5));
  });

  test('refused', () => {
    expectRefused(watches, /seen before it was told/, arm(1, 1), read(2), event(1));
    expectRefused(watches, /seen before it was told/, arm(1, 1), read(2));
    expectRefused(watches, /told twice/, arm(1, 1), event(1), event(1));
    expectRefused(watches, /a change that there was not/, arm(1, 1), event(1), arm(2, 1));
    expectRefused(watches, /never told to watcher/, arm(1, 1), { name: 'missed' });
  });
});

describe('transfers', () => {
  const books = (name: string, balances: number[], versions: number[]): Note => ({
    name,
    output: { balances, versions },
  });
  const transfer = (outcome: Operation['outcome']): Note => ({ name: 'transfer', input: { from: 0, to: 1 }, outcome });

  test('accepted: a lost answer may have been a transfer or not', () => {
    const [one, two] = [
      books('end', [95, 105, 100, 100], [1, 1, 0, 0]),
      books('end', [93, 107, 100, 100], [2, 2, 0, 0]),
    ];
    expectAccepted(transfers, transfer('ok'), transfer('unknown'), transfer('failed'), one);
    expectAccepted(transfers, transfer('ok'), transfer('unknown'), transfer('failed'), two);
  });

  test('refused', () => {
    expectRefused(transfers, /the sum is 395/, transfer('ok'), books('books', [95, 100, 100, 100], [1, 0, 0, 0]));
    const end = books('end', [95, 105, 100, 100], [1, 1, 0, 0]);
    expectRefused(transfers, /changed 1 times, of 2 confirmed/, transfer('ok'), transfer('ok'), end);
    expectRefused(transfers, /changed 1 times, of 0 confirmed and 0 possible/, transfer('failed'), end);
  });
});

describe('durability', () => {
  const create = (key: string, outcome: Operation['outcome'] = 'ok'): Note => ({
    name: 'create',
    key,
    input: 3,
    outcome,
  });
  const find = (key: string, output: unknown = 3): Note => ({ name: 'find', key, process: 7, output });
  const searched: Note = { name: 'searched', process: 7 };

  test('accepted: a lost answer is found or not', () => {
    expectAccepted(durability, create('a'), create('b', 'unknown'), create('c', 'failed'), find('a'), searched);
    expectAccepted(durability, create('a'), create('b', 'unknown'), find('a'), find('b'), searched);
  });

  test('refused', () => {
    expectRefused(durability, /1 acknowledged and lost/, create('a'), create('b'), find('a'), searched);
    expectRefused(durability, /1 acknowledged and lost/, create('a'), searched);
    expectRefused(durability, /refused and found/, create('c', 'failed'), find('c'), searched);
    expectRefused(durability, /another content/, create('a'), find('a', 4), searched);
  });
});

test('a node that is not there is a violation in every workload', () => {
  const read: Note = { name: 'read', outcome: 'failed', error: 'NoNode' };
  expect(checkPresence(notes(read, read))).toEqual([expect.stringMatching(/^2 times a node was not there/)]);
  expect(checkPresence(notes({ ...read, error: 'ConnectionLoss' }))).toEqual([]);
});

test('the longest gap counts from the beginning and to the end', () => {
  expect(longestGapMs([5, 3, 9], 0, 10)).toBe(4);
  expect(longestGapMs([5], 0, 20)).toBe(15);
  expect(longestGapMs([5], 3, 4)).toBe(1);
  expect(longestGapMs([], 0, 7)).toBe(7);
});
