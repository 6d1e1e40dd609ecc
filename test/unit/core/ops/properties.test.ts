// What holds for every sequence of operations, however odd: a request that fails changes nothing (E38, E53); a replica
// that nobody watches and that answers nobody comes to the same state; and the bookkeeping beside the tree, references
// of ACLs and quotas, is what a count of the tree gives. Leaves out what the answers are: that is for the other tests.

import fc from 'fast-check';
import { type OperationName, operations } from '../../../../protocol/client/operations.js';
import type { Acl } from '../../../../protocol/client/records.js';
import { JuteReader } from '../../../../protocol/jute/reader.js';
import type { Type } from '../../../../protocol/jute/schema.js';
import { JuteWriter } from '../../../../protocol/jute/writer.js';
import { writeOperation } from '../../../../src/core/ops/table.js';
import { QuotaTable } from '../../../../src/core/tree/quota.js';
import { createWorld, OPEN_ACL, TestWorld } from '../../../helpers/world.js';

const QUOTA = '/zookeeper/quota';
const path = fc.constantFrom(
  ...['/a', '/b', '/a/x', '/a/y', '/a/x/1', '/a/q-', '/', '/a/', '//', 'noslash', '/zookeeper/config'],
  ...[`${QUOTA}/a`, `${QUOTA}/a/zookeeper_limits`, `${QUOTA}/a/zookeeper_stats`],
);
const data = fc.option(fc.uint8Array({ maxLength: 20 }), { nil: null });
const entry = fc.record({
  perms: fc.constantFrom(31, 31, 29, 1),
  id: fc.constantFrom(OPEN_ACL[0].id, { scheme: 'ip', id: '127.0.0.0/8' }, { scheme: 'digest', id: 'bad' }),
});
const acl = fc.oneof(
  { weight: 4, arbitrary: fc.constant(OPEN_ACL) },
  fc.array(entry, { maxLength: 2 }),
) as fc.Arbitrary<Acl[]>;
const version = fc.constantFrom(-1, -1, 0, 1);
const create = fc.record({ path, data, acl, flags: fc.constantFrom(0, 0, 1, 2, 3, 9) });
const deleteRequest = fc.record({ path, version });
const setData = fc.record({ path, data, version });

const named = <T>(name: OperationName, request: fc.Arbitrary<T>) => request.map((value) => ({ name, request: value }));
const part = fc.oneof(
  create.map((request) => ({ op: 'create' as const, request })),
  deleteRequest.map((request) => ({ op: 'delete' as const, request })),
  setData.map((request) => ({ op: 'setData' as const, request })),
  deleteRequest.map((request) => ({ op: 'check' as const, request })),
);
const write = fc.oneof(
  named('create', create),
  named('createContainer', create),
  named('delete', deleteRequest),
  named('setData', setData),
  named('setACL', fc.record({ path: path.filter((each) => each !== '/'), acl, version })),
  named('multi', fc.array(part, { maxLength: 4 })),
  named('closeSession', fc.constant(undefined)),
);

test('random writes', () => {
  fc.assert(
    fc.property(fc.array(write, { minLength: 1, maxLength: 60 }), (writes) => {
      const watched = new TestWorld();
      const silent = createWorld();
      silent.changes.recording = false;
      for (const { name, request } of writes) {
        const before = watched.world.tree.digest();
        const { code, response, changes } = watched.run(name, request as never, { enforceQuota: true });
        const results = Array.isArray(response) ? (response as { type: string }[]) : [];
        if (code !== 0 || results.some(({ type }) => type === 'error')) {
          expect(watched.world.tree.digest()).toEqual(before);
          expect(changes).toEqual([]);
        }
        const operation = writeOperation(operations[name].code);
        const writer = new JuteWriter();
        (operations[name].request as Type<unknown>).write(writer, request);
        const view = operation?.request.view(new JuteReader(writer.toBytes()));
        const { zxid, timeMs, session, identities: caller } = watched;
        operation?.apply(silent, { zxid, timeMs, session, caller, enforceQuota: true, skipAcl: false }, view, null);
        expect(silent.tree.digest()).toEqual(watched.world.tree.digest());
        expect(silent.changes.length).toBe(0);
      }

      const { tree, acls, quotas } = watched.world;
      expect(tree.recomputeDigest()).toEqual(tree.digest());
      const used = new Set<number>();
      tree.forEachNode((node) => void used.add(tree.aclId(node)));
      acls.sweep();
      for (const aclId of used) expect(acls.list(aclId).length).toBeGreaterThan(0);
      expect(acls.size).toBe(new Set([...used, 0, 1]).size);
      const recounted = new QuotaTable();
      recounted.rebuild(tree);
      expect([...quotas].sort()).toEqual([...recounted].sort());
    }),
    { numRuns: 200 },
  );
});
