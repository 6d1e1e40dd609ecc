/** E38: a write that fails takes a zxid, also one that cannot be decoded; one that no client may send takes none. */
import { OpCode } from '../../protocol/client/constants.js';
import { Code } from '../../protocol/client/errors.js';
import { OPEN_ACL, scene } from './scene.js';

const ttlNode = { path: '/t', data: null, acl: OPEN_ACL, flags: 5, ttl: 1000n };

test.each([
  ['create', OpCode.create],
  ['createTTL', OpCode.createTTL],
  ['delete', OpCode.delete],
  ['multi', OpCode.multi],
  ['setACL', OpCode.setACL],
  ['setData', OpCode.setData],
])('%s that cannot be decoded', (_name, opCode) => {
  const { server, client } = scene();
  const one = client();
  const before = server.replica.appliedZxid;
  const xid = one.sendRaw(opCode, new Uint8Array(3));
  expect(one.replyTo(xid)).toMatchObject({ code: Code.MarshallingError, zxid: before + 1 });
  expect(server.replica.appliedZxid).toBe(before + 1);
});

test('a TTL node where they are off', () => {
  const { server, client } = scene({ ttlNodes: false });
  const one = client();
  const before = server.replica.appliedZxid;
  expect(one.call('createTTL', ttlNode)).toMatchObject({ code: Code.Unimplemented, zxid: before + 1 });
});

test('it keeps its place among the other requests, and is in the log', () => {
  const { server, client, restart } = scene();
  const one = client();
  const from = one.received.length;
  one.send('setData', { path: '/', data: null, version: -1 });
  one.sendRaw(OpCode.multi, new Uint8Array(3));
  one.send('setData', { path: '/', data: null, version: -1 });
  one.replyTo(3, from);
  expect(one.received.slice(from)).toMatchObject([
    { xid: 1, code: 0 },
    { xid: 2, code: Code.MarshallingError },
    { xid: 3, code: 0 },
  ]);
  const { appliedZxid } = server.replica;
  restart();
  expect(server.replica.appliedZxid).toBe(appliedZxid);
});

test('an operation that nobody knows is refused at once', () => {
  const { server, client } = scene();
  const one = client();
  const before = server.replica.appliedZxid;
  expect(one.replyTo(one.sendRaw(OpCode.check))).toMatchObject({ code: Code.Unimplemented });
  expect(server.replica.appliedZxid).toBe(before);
});
