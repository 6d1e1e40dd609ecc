/**
 * Every checker is shown a run that is as it should be, which it must accept, and then one in which exactly one thing is
 * wrong, which it must refuse, and for that reason.
 */
import type { Received, Reply } from '../../../src/testing/index.js';
import { checkRun } from '../check-run.js';
import { committedInOrder, type Facts } from '../facts.js';
import { type Observation, repliesWithRequests, WRITES } from '../history.js';
import { Replay } from '../replay.js';
import { type Run, runSeed } from '../scenario.js';
import { checkAgreement } from './agreement.js';
import { checkConvergence } from './convergence.js';
import { checkDurability } from './durability.js';
import { checkOrder } from './order.js';
import { checkReads } from './reads.js';
import { checkSdk } from './sdk.js';
import { checkSessions } from './sessions.js';
import { checkState } from './state.js';
import { checkSync } from './sync.js';
import { checkWatches } from './watches.js';

const isMissedEvent = (one: Observation) =>
  one.kind === 'received' && one.item.kind === 'event' && one.item.zxid === -1;

/** A run in which there is something to falsify for every checker. */
function richRun(): Run {
  for (let seed = 1; seed < 100; seed++) {
    const rich = runSeed(seed, { servers: 3, observers: 1 });
    const hasWatches = [0, 1].every((fired) => rich.sdk.watches.some((watch) => watch.fired === fired));
    if (rich.history.some(isMissedEvent) && rich.facts.expiries.length > 0 && hasWatches) return rich;
  }
  throw new Error('no run has what is needed');
}

const run = richRun();
const replay = new Replay(committedInOrder(run.facts));

/** The run with one received item of its history replaced, or taken out. */
function withReceived(at: Observation, item: Received | null): Run {
  const history = run.history.flatMap((observation): Observation[] => {
    if (observation !== at || observation.kind !== 'received') return [observation];
    return item === null ? [] : [{ ...observation, item }];
  });
  return { ...run, history };
}

function withFacts(changes: Partial<Facts>): Run {
  return { ...run, facts: { ...run.facts, ...changes } };
}

function find<T>(items: Iterable<T>, fits: (item: T) => boolean): T {
  for (const item of items) if (fits(item)) return item;
  throw new Error('the run has nothing like that: richRun must look for it');
}

/** An answer to a request of some kind, not the first one. */
function answerTo(fits: (operation: string, reply: Reply) => boolean) {
  let left = 5;
  return find(
    repliesWithRequests(run.history),
    ({ sent, reply }) => sent !== undefined && fits(sent.operation, reply) && left-- === 0,
  );
}

const isWrite = (operation: string, { code }: Reply): boolean =>
  code === 0 && operation !== 'closeSession' && WRITES.has(operation as never);

test('a run that is as it should be is accepted', () => {
  checkRun(run);
});

describe('durability', () => {
  test.each([
    ['another zxid', (reply: Reply): Reply => ({ ...reply, zxid: reply.zxid + 1 })],
    ['another answer', (reply: Reply): Reply => ({ ...reply, body: new Uint8Array([...reply.body, 1]) })],
    ['an error', (reply: Reply): Reply => ({ ...reply, code: -101 })],
  ])('an answered write stands in the history with %s', (_what, change) => {
    const { observation, reply } = answerTo(isWrite);
    expect(() => checkDurability(withReceived(observation, change(reply)), replay)).toThrow('an answered write');
  });

  test('a refused write has happened', () => {
    const { observation, reply } = answerTo(isWrite);
    expect(() => checkDurability(withReceived(observation, { ...reply, code: -1 }), replay)).toThrow('refused write');
  });

  test('a batch is missing', () => {
    const committed = new Map(run.facts.committed);
    committed.delete(committedInOrder(run.facts)[3].lastZxid);
    expect(() => checkDurability(withFacts({ committed }), replay)).toThrow('no gaps');
  });

  test('a client has seen what is not there', () => {
    const { observation, reply } = answerTo((operation) => operation === 'exists');
    const seen = withReceived(observation, { ...reply, zxid: replay.lastZxid + 1 });
    expect(() => checkDurability(seen, replay)).toThrow('what a client has seen');
  });
});

describe('order', () => {
  test('replies are swapped', () => {
    const { observation, reply } = answerTo(isWrite);
    const swapped = withReceived(observation, { ...reply, xid: reply.xid + 1 });
    expect(() => checkOrder(swapped, replay)).toThrow('in the order of requests');
  });

  test('a session goes back in time', () => {
    const { observation, reply } = answerTo((operation) => operation === 'getData');
    const back = withReceived(observation, { ...reply, zxid: 1 });
    expect(() => checkOrder(back, replay)).toThrow('never goes back');
  });

  test('a write of a session happens after a later one', () => {
    const outcomes = new Map([...replay.outcomes].reverse());
    const reversed = Object.assign(Object.create(replay) as Replay, { outcomes });
    expect(() => checkOrder(run, reversed)).toThrow('the writes of a session');
  });

  test('a write has its place before another that was answered when it was sent', () => {
    const [early, late] = [100, 200].map((zxid, i): Observation[] => {
      const common = { timeMs: i, client: i, connection: i + 1, sessionId: BigInt(i + 1) };
      const reply = { kind: 'reply', xid: 1, zxid: 300 - zxid, code: 0, operation: 'setData' } as Reply;
      return [
        { ...common, kind: 'sent', xid: 1, operation: 'setData', request: {} },
        { ...common, kind: 'received', item: reply },
      ];
    });
    const logged = { requests: new Set(['1/1', '2/1']), outcomes: new Map() } as unknown as Replay;
    const check = (history: Observation[]) => checkOrder({ ...run, history }, logged);
    expect(() => check([...early, ...late])).toThrow('a later write has a greater zxid');
    check([...late, ...early]);
    check([early[0], late[0], early[1], late[1]]); // at the same time: in any order
  });
});

test('reads: an answer shows another state than that of its zxid', () => {
  const { observation, reply } = answerTo((operation, { code }) => operation === 'getData' && code === 0);
  const body = reply.body.slice();
  body[body.length - 1] ^= 1;
  expect(() => checkReads(withReceived(observation, { ...reply, body }), replay)).toThrow('a read shows the state');
});

describe('sync', () => {
  const received = (connection: number, xid: number, zxid: number, operation: string): Observation => {
    const item = { kind: 'reply', xid, zxid, code: 0, operation } as Reply;
    return { timeMs: 0, client: connection, connection, sessionId: 1n, kind: 'received', item };
  };
  const sent = (connection: number, xid: number, operation: 'sync' | 'getData'): Observation => {
    return { timeMs: 0, client: connection, connection, sessionId: 1n, kind: 'sent', xid, operation, request: {} };
  };

  test('a read behind it does not show what was answered before it', () => {
    const history = [
      received(1, 1, 50, 'setData'),
      sent(2, 1, 'sync'),
      sent(2, 2, 'getData'),
      received(2, 1, 49, 'sync'),
      received(2, 2, 49, 'getData'),
    ];
    expect(() => checkSync({ history })).toThrow('a read behind a sync');
    checkSync({ history: history.slice(1) });
    checkSync({ history: [...history.slice(1, 4), history[0], history[4]] }); // answered after it was sent
  });
});

describe('watches', () => {
  /** An answer on the same connection follows it: only then is it known that it should have come. */
  const event = find(run.history, (one) => {
    if (one.kind !== 'received' || one.item.kind !== 'event' || one.item.zxid <= 0) return false;
    const later = run.history.slice(run.history.indexOf(one) + 1);
    return later.some(
      (next) => next.kind === 'received' && next.connection === one.connection && next.item.kind === 'reply',
    );
  });

  test('an event is lost', () => {
    expect(() => checkWatches(withReceived(event, null), replay)).toThrow(/event/);
  });

  test('an event comes twice', () => {
    const history = run.history.flatMap((one) => (one === event ? [one, one] : [one]));
    expect(() => checkWatches({ ...run, history }, replay)).toThrow('an event comes once');
  });

  test('a watch that comes back is not told what it has missed', () => {
    const missed = find(run.history, isMissedEvent);
    expect(() => checkWatches(withReceived(missed, null), replay)).toThrow('a watch that comes back');
  });
});

describe('sessions', () => {
  test('one is expired early', () => {
    const expiry = find(run.facts.expiries, ({ zxid }) => replay.outcomes.has(zxid));
    const early = { ...expiry, silentMs: expiry.timeoutMs - 1 };
    expect(() => checkSessions(withFacts({ expiries: [early] }), replay)).toThrow('never expired early');
  });

  test('one that lives is refused', () => {
    const resumed = find(run.history, (one) => one.kind === 'connecting' && one.sessionId !== 0n);
    const item: Received = {
      kind: 'connect',
      sessionId: 0n,
      password: null,
      timeoutMs: 0,
      readOnly: false,
      bytes: 37,
    };
    const history: Observation[] = [resumed, { ...resumed, kind: 'received', item } as Observation];
    const nothingClosed = { ...replay, closedSessions: new Map(), orphans: [], outcomes: replay.outcomes };
    expect(() => checkSessions({ ...run, history }, nothingClosed as unknown as Replay)).toThrow('is not refused');
  });

  test('one is left at the end, or an ephemeral', () => {
    const [final] = run.finals;
    expect(() => checkSessions({ ...run, finals: [{ ...final, sessions: [7] }] }, replay)).toThrow('silent sessions');
    expect(() => checkSessions({ ...run, finals: [{ ...final, ephemerals: 1 }] }, replay)).toThrow('last session');
  });

  test('an ephemeral outlives its session', () => {
    const orphaned = Object.assign(Object.create(replay) as Replay, { orphans: ['/a'] });
    expect(() => checkSessions(run, orphaned)).toThrow('an ephemeral ends');
  });
});

describe('sdk', () => {
  const withSdk = (changes: Partial<Run['sdk']>): Run => ({ ...run, sdk: { ...run.sdk, ...changes } });
  const fired = find(run.sdk.watches, (watch) => watch.fired === 1);

  test('a watch is lost, is called twice, or for nothing', () => {
    expect(() => checkSdk(withSdk({ watches: [{ ...fired, fired: 0 }] }), replay)).toThrow('never lost');
    expect(() => checkSdk(withSdk({ watches: [{ ...fired, fired: 2 }] }), replay)).toThrow('called once');
    const late = { ...fired, setZxid: replay.lastZxid };
    expect(() => checkSdk(withSdk({ watches: [late] }), replay)).toThrow('called for a change');
  });

  test('a session is expired that its client counts as safe', () => {
    const { session } = find(run.facts.expiries, ({ zxid }) => replay.outcomes.has(zxid));
    const safeUntilMs = new Map([[session, Number.POSITIVE_INFINITY]]);
    expect(() => checkSdk(withSdk({ safeUntilMs }), replay)).toThrow('counts it as safe');
  });
});

describe('state', () => {
  const [final, ...others] = run.finals;

  test('a server has another state than history makes', () => {
    const executions = run.facts.executions.map((one, i) => (i === 7 ? { ...one, digest: '0:0' } : one));
    expect(() => checkState(withFacts({ executions }), replay)).toThrow('what history makes');
  });

  test('the digest is wrong, or the servers differ, at the end', () => {
    const check = (changes: object) => checkState({ ...run, finals: [{ ...final, ...changes }, ...others] }, replay);
    expect(() => check({ recomputedDigest: '0:0' })).toThrow('the sum of the nodes');
    expect(() => check({ zxid: final.zxid - 1 })).toThrow('all have all');
    expect(() => check({ digest: '0:0', recomputedDigest: '0:0' })).toThrow('the same state');
  });

  test('a server finds that its state is another', () => {
    expect(() => checkState(withFacts({ divergences: [{ server: 1, reason: 'so' }] }), replay)).toThrow('another');
  });
});

describe('agreement', () => {
  const { executions, leaderships, logged, voters } = run.facts;
  const full = executions.findIndex(({ batches }, i) => i > 9 && batches.length > 0);
  const withExecution = (change: (execution: Facts['executions'][number]) => object): Facts => ({
    ...run.facts,
    executions: executions.map((one, i) => (i === full ? { ...one, ...change(one) } : one)),
  });

  test('an epoch has two leaders', () => {
    const second = { ...leaderships[0], server: leaderships[0].server + 1 };
    const facts = { ...run.facts, leaderships: [...leaderships, second] };
    expect(() => checkAgreement(facts)).toThrow('an epoch has one leader');
  });

  test('a leader lacks what was committed', () => {
    const last = { ...leaderships[0], lastZxid: 4, committedZxid: 5 };
    expect(() => checkAgreement({ ...run.facts, leaderships: [last] })).toThrow('all that was committed');
  });

  test('two logs have different batches at one zxid', () => {
    const other = { ...logged[0], server: 3, hash: 'other' };
    expect(() => checkAgreement({ ...run.facts, logged: [...logged, other] })).toThrow('a zxid names one batch');
    checkAgreement({ ...run.facts, logged: [...logged, { ...logged[0], server: 3 }] });
  });

  test('a server executes another batch, leaves one out, or has none of it in its log', () => {
    const another = withExecution(({ batches }) => ({ batches: [{ ...batches[0], hash: 'other' }] }));
    expect(() => checkAgreement(another)).toThrow('the same batches');
    const gap = withExecution(({ afterZxid }) => ({ afterZxid: afterZxid - 1 }));
    expect(() => checkAgreement(gap)).toThrow(/whole batches|the same batches/);
    expect(() => checkAgreement(withExecution(() => ({ batches: [] })))).toThrow('what is in its log');
  });

  test('a batch is executed that only a minority has stored', () => {
    const minority = executions.map((one) => ({
      ...one,
      batches: one.batches.map((batch) => ({ ...batch, storedBy: voters.slice(0, 1) })),
    }));
    expect(() => checkAgreement({ ...run.facts, executions: minority })).toThrow('on the disks of a quorum');
  });
});

describe('convergence', () => {
  test.each([
    ['nobody leads', { leaderMs: null }, 'one leads'],
    ['nobody can write', { writableMs: null }, 'takes writes'],
    ['a client waits for ever', { unanswered: [0, 1] }, 'all is answered'],
  ])('%s', (_what, changes, rule) => {
    const broken = { ...run, convergence: { ...run.convergence, ...changes } };
    expect(() => checkConvergence(broken, run.finals.length)).toThrow(rule);
  });

  test('a server is down', () => {
    expect(() => checkConvergence(run, run.finals.length + 1)).toThrow('all servers run');
  });
});
