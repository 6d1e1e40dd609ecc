/** What a leader proposes by itself: the end of silent sessions, the deletion of what nobody needs (E17, E48). */
import { CreateFlag, OpCode } from '../../../protocol/client/constants.js';
import { JuteReader } from '../../../protocol/jute/reader.js';
import { Housekeeping } from '../../../src/core/housekeeping.js';
import { SessionExpiry } from '../../../src/core/sessions/expiry.js';
import { DEFAULT_REPLICA_OPTIONS } from '../../../src/testing/index.js';
import { OPEN_ACL, TestWorld } from '../../helpers/world.js';

function fixture(options: Partial<typeof DEFAULT_REPLICA_OPTIONS> = {}) {
  const one = new TestWorld();
  const proposed: string[] = [];
  const household = {
    options: { ...DEFAULT_REPLICA_OPTIONS, containerCheckMs: 100, ...options },
    world: one.world,
    expiry: new SessionExpiry(100),
    monotonicMs: 0,
    wallMs: one.timeMs,
    propose: (operation: number, session: number, request: { bytes: Uint8Array; position: number }) => {
      const what =
        operation === OpCode.closeSession ? session : new JuteReader(request.bytes, 0, request.position).ustring();
      proposed.push(`${operation} ${what}`);
    },
    emit: () => {},
  };
  const housekeeping = new Housekeeping(household);
  const tick = (passedMs: number) => {
    household.monotonicMs += passedMs;
    household.wallMs += passedMs;
    proposed.length = 0;
    housekeeping.tick();
    return [...proposed];
  };
  return { one, household, tick };
}

const container = (path: string) => ({ path, data: null, acl: OPEN_ACL, flags: CreateFlag.container });

test('a silent session is closed once, in its own name', () => {
  const { household, tick } = fixture();
  household.expiry.track(7, 0, 250);
  expect(tick(200)).toEqual([]);
  expect(tick(100)).toEqual([`${OpCode.closeSession} 7`]);
  expect(tick(1000)).toEqual([]);
});

test('containers that had a child and have none, TTL nodes past their time, and no others', () => {
  const { one, tick } = fixture();
  for (const path of ['/used', '/fresh', '/busy']) one.run('createContainer', container(path));
  for (const path of ['/used/c', '/busy/c']) one.create(path);
  one.run('delete', { path: '/used/c', version: -1 });
  for (const [path, ttl] of [
    ['/short', 500n],
    ['/long', 5000n],
    ['/parent', 500n],
  ] as const) {
    one.run('createTTL', { path, data: null, acl: OPEN_ACL, flags: CreateFlag.persistentTtl, ttl });
  }
  one.create('/parent/c');
  one.create('/plain');
  expect(tick(500)).toEqual([`${OpCode.deleteContainer} /used`]);
  expect(tick(50)).toEqual([]); // the next look is not due
  expect(tick(60).sort()).toEqual([`${OpCode.deleteContainer} /short`, `${OpCode.deleteContainer} /used`]);
});

test('a container that was never used goes only if that is asked for', () => {
  const { one, tick } = fixture({ containerNeverUsedMs: 1000 });
  one.run('createContainer', container('/fresh'));
  expect(tick(900)).toEqual([]);
  expect(tick(200)).toEqual([`${OpCode.deleteContainer} /fresh`]);
});

test('not more than the rate allows at a time', () => {
  const { one, tick } = fixture({ containersPerMinute: 1200 }); // two in 100 ms
  for (let i = 0; i < 5; i++) {
    one.run('createContainer', container(`/c${i}`));
    one.create(`/c${i}/x`);
    one.run('delete', { path: `/c${i}/x`, version: -1 });
  }
  expect(tick(100)).toHaveLength(2);
});
