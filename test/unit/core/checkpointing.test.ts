/** When a checkpoint is taken, what its header holds, and that a restart from it gives the same state. */
import { ProtocolError } from '../../../protocol/errors.js';
import { Checkpointing, decodeHeader, encodeHeader } from '../../../src/core/checkpointing.js';
import type { Effect } from '../../../src/core/io.js';
import { Replica } from '../../../src/core/replica.js';
import { DEFAULT_REPLICA_OPTIONS } from '../../../src/testing/index.js';
import { ANN_ONLY, code, create, OPEN_ACL, scene, statOf } from '../../conformance/scene.js';
import { TestWorld } from '../../helpers/world.js';

const OPTIONS = { ...DEFAULT_REPLICA_OPTIONS, checkpointEntries: 10, checkpointBytes: 1000 };

function fixture() {
  const one = new TestWorld();
  one.create('/a', new Uint8Array(10));
  const effects: Effect[] = [];
  return {
    one,
    effects,
    types: () => effects.map(({ type }) => type),
    checkpointing: new Checkpointing(one.world, OPTIONS, (effect) => effects.push(effect)),
  };
}

describe('when', () => {
  test.each([
    ['entries', 10, 0],
    ['bytes', 1, 1000],
  ])('enough %s', (_what, entries, bytes) => {
    const { checkpointing, types } = fixture();
    checkpointing.executed(entries - 1, Math.max(0, bytes - 1));
    checkpointing.beginIfDue(5);
    expect(types()).toEqual([]);
    checkpointing.executed(1, 1);
    checkpointing.beginIfDue(6);
    expect(types()).toEqual(['beginCheckpoint']);
  });

  test('one at a time: begin, pages, end, stored', () => {
    const { checkpointing, types, effects } = fixture();
    checkpointing.executed(10, 0);
    checkpointing.beginIfDue(7);
    checkpointing.executed(10, 0);
    checkpointing.beginIfDue(8);
    checkpointing.advance();
    checkpointing.beginIfDue(9);
    expect(types()).toEqual(['beginCheckpoint', 'checkpointPages', 'endCheckpoint']);
    expect(effects[0]).toMatchObject({ zxid: 7 });
    checkpointing.advance();
    expect(checkpointing.lastZxid).toBe(0);
    checkpointing.stored(7);
    expect(checkpointing.lastZxid).toBe(7);
    checkpointing.beginIfDue(9);
    expect(effects.at(-1)).toMatchObject({ type: 'beginCheckpoint', zxid: 9 });
  });

  test('one that failed is due again soon, with all its pages', () => {
    const { checkpointing, effects } = fixture();
    checkpointing.executed(10, 0);
    checkpointing.beginIfDue(7);
    checkpointing.advance();
    const pages = effects[1];
    checkpointing.failed();
    checkpointing.beginIfDue(8);
    expect(effects).toHaveLength(3);
    checkpointing.executed(1, 0);
    checkpointing.beginIfDue(8);
    checkpointing.advance();
    expect(effects[3]).toMatchObject({ type: 'beginCheckpoint', zxid: 8 });
    expect(effects[4]).toEqual(pages);
  });
});

test('the header comes back', () => {
  const { one } = fixture();
  const { high, low } = one.world.tree.digest();
  const header = decodeHeader(encodeHeader(one.world, 2 ** 40 + 3));
  expect(header).toMatchObject({ zxid: 2 ** 40 + 3, digestHigh: high, digestLow: low, nodeCount: 5 });
  expect(header.sessions).toEqual(one.world.sessions.encode());
  expect(header.acls).toEqual(one.world.acls.encode());
});

test('a header cut off or of another version is refused', () => {
  const bytes = encodeHeader(new TestWorld().world, 5);
  for (let end = 0; end < bytes.length; end++) {
    expect(() => decodeHeader(bytes.subarray(0, end))).toThrow(ProtocolError);
  }
  expect(() => decodeHeader(new Uint8Array([0, 0, 0, 9, ...bytes.subarray(4)]))).toThrow(ProtocolError);
});

describe('a restart from a checkpoint', () => {
  test('has nodes, ACLs, sessions and digest as they were, changes since from the log', () => {
    const { world, server, client, restart } = scene({ checkpointEntries: 5 });
    const one = client();
    for (const name of ['a', 'b', 'c', 'd', 'e']) create(one, `/${name}`, { acl: name === 'c' ? ANN_ONLY : OPEN_ACL });
    create(one, '/eph', { flags: 1 });
    world.run(300);
    expect(server.disk.checkpoint).not.toBeNull();
    code(one, 'delete', { path: '/a', version: -1 });
    create(one, '/b/x');
    const before = {
      digest: server.replica.world.tree.digest(),
      zxid: server.replica.appliedZxid,
      stat: statOf(one, '/b'),
    };
    expect(server.disk.log.length).toBeGreaterThan(0);
    restart();
    expect({ digest: server.replica.world.tree.digest(), zxid: server.replica.appliedZxid }).toMatchObject({
      digest: before.digest,
      zxid: before.zxid,
    });
    one.resumed(server);
    expect(statOf(one, '/b')).toEqual(before.stat);
    expect(code(one, 'getData', { path: '/c', watch: false })).toBe(-102);
    expect(statOf(one, '/eph').ephemeralOwner).toBe(one.sessionId);
  });

  test('refuses pages that do not make up the state of the header', () => {
    const { world, server, client } = scene({ checkpointEntries: 3 });
    const one = client();
    for (const name of ['a', 'b', 'c']) create(one, `/${name}`);
    world.run(300);
    const { checkpoint, pages } = server.disk;
    if (checkpoint === null) throw new Error('no checkpoint');
    const other = new Replica({ ...DEFAULT_REPLICA_OPTIONS });
    const whole = new TestWorld();
    whole.world.tree.beginCheckpoint();
    for (const page of whole.world.tree.nextCheckpointSlice(1_000_000)) other.loadPage(page);
    expect(() => other.finishLoad(checkpoint.header)).toThrow(/digest/);
    const good = new Replica({ ...DEFAULT_REPLICA_OPTIONS });
    for (const [page, bytes] of pages) good.loadPage({ page, bytes });
    good.finishLoad(checkpoint.header);
    expect(good.appliedZxid).toBe(checkpoint.zxid);
  });
});
