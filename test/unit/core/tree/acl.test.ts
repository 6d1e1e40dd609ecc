// The table of ACLs: E42–E45. "Observed" is what Apache ZooKeeper 3.8.0 answered.

import { Code } from '../../../../protocol/client/errors.js';
import { type Acl, AclList } from '../../../../protocol/client/records.js';
import { ProtocolError } from '../../../../protocol/errors.js';
import { JuteReader } from '../../../../protocol/jute/reader.js';
import { JuteWriter } from '../../../../protocol/jute/writer.js';
import type { Identity } from '../../../../protocol/peer/entries.js';
import { ACL_OPEN, ACL_READ_ONLY, AclTable, type AclView } from '../../../../src/core/tree/acl.js';

const entry = (scheme: string, id: string, perms = 31): Acl => ({ perms, id: { scheme, id } });
const ANYONE = entry('world', 'anyone');
const ANN: Identity = { scheme: 'digest', id: 'ann:hash' };
const LOCAL: Identity = { scheme: 'ip', id: '127.0.0.1' };

/** The list as it stands in a request; a scheme or id may be null there. */
function view(list: readonly { perms: number; id: { scheme: string | null; id: string | null } }[]): AclView {
  const writer = new JuteWriter();
  writer.int(list.length);
  for (const { perms, id } of list) {
    writer.int(perms);
    writer.ustring(id.scheme);
    writer.ustring(id.id);
  }
  return AclList.view(new JuteReader(writer.toBytes()));
}

let table: AclTable;
beforeEach(() => {
  table = new AclTable();
});

describe('what a client may ask for (E43)', () => {
  const intern = (list: Parameters<typeof view>[0], caller: Identity[] = [LOCAL]) => table.intern(view(list), caller);

  test('no entries, or no list', () => {
    expect([intern([]), table.intern(null, [LOCAL])]).toEqual([Code.InvalidACL, Code.InvalidACL]);
  });

  test('world:anyone with everything is number 0, however it comes', () => {
    expect(intern([ANYONE])).toBe(ACL_OPEN);
    expect(intern([ANYONE, ANYONE])).toBe(ACL_OPEN);
    expect(intern([entry('world', 'anyone', 1)])).toBe(ACL_READ_ONLY);
  });

  test.each([
    ['world', 'anyone', true],
    ['world', 'x', false],
    ['digest', 'ab', false],
    ['digest', 'a:b', true],
    ['digest', ':b', true],
    ['digest', 'a:', false],
    ['digest', ':', false],
    ['digest', 'a:b:', true],
    ['digest', 'a:b:c', false],
    ['ip', '1.2.3.4', true],
    ['ip', '1.2.3.004', true],
    ['ip', '1.2.3.4/0', true],
    ['ip', '1.2.3.4/32', true],
    ['ip', '1.2.3.4/+8', true],
    ['ip', '1.2.3.4/33', false],
    ['ip', '1.2.3.4/x', false],
    ['ip', '1.2.3.4/-1', false],
    ['ip', '1.2.3.4/', false],
    ['ip', '1.2.3', false],
    ['ip', '1.2.3.4.5', false],
    ['ip', '1.2.3.256', false],
    ['ip', '1.2.3.-4', false],
    ['ip', '', false],
    ['auth', '', false],
    ['super', '', false],
    ['nosuch', 'x', false],
  ])('%s:%s (observed)', (scheme, id, good) => {
    const aclId = intern([entry(scheme, id)]);
    if (good) expect(table.list(aclId)).toEqual([entry(scheme, id)]);
    else expect(aclId).toBe(Code.InvalidACL);
  });

  // As 3.9 has it, which 3.8 has not.
  test.each([
    ['ip', '::1', true],
    ['ip', '2001:db8::/32', true],
    ['ip', '2001:db8::/129', false],
    ['ip', '1:2:3:4:5:6:7:8', true],
    ['ip', '1:2:3:4:5:6:7', false],
    ['ip', '1:2:3:4:5:6:7:8:9', false],
    ['ip', '1::2::3', false],
    ['ip', '::12345', false],
    ['ip', '::1.2.3.4', true],
    ['x509', 'CN=ann', true],
    ['sasl', 'ann', true],
  ])('%s:%s', (scheme, id, good) => expect(intern([entry(scheme, id)]) >= 0).toBe(good));

  test('nulls inside of an entry (observed)', () => {
    const nulls = (scheme: string | null, id: string | null) => intern([{ perms: 31, id: { scheme, id } }]);
    expect(nulls(null, 'x')).toBe(Code.InvalidACL);
    for (const scheme of ['ip', 'world', 'digest']) expect(nulls(scheme, null)).toBe(Code.MarshallingError);
  });

  test('duplicates go, the order stays, and so do perms without a meaning (observed)', () => {
    const ip = entry('ip', '127.0.0.1', 1);
    expect(table.list(intern([ip, ANYONE, ip, ANYONE]))).toEqual([ip, ANYONE]);
    expect(table.list(intern([entry('world', 'anyone', 63)]))).toEqual([entry('world', 'anyone', 63)]);
  });

  test('auth becomes every proven identity of the caller; an address proves nothing', () => {
    const bob: Identity = { scheme: 'sasl', id: 'bob' };
    const superUser: Identity = { scheme: 'super', id: '' };
    expect(table.list(intern([entry('auth', 'ignored', 5)], [LOCAL, ANN, superUser, bob]))).toEqual([
      entry('digest', 'ann:hash', 5),
      entry('sasl', 'bob', 5),
    ]);
    expect(intern([entry('auth', '')], [LOCAL, superUser])).toBe(Code.InvalidACL);
  });

  test('one bad entry spoils the list', () => expect(intern([ANYONE, entry('digest', 'x')])).toBe(Code.InvalidACL));
});

describe('who may (E42)', () => {
  const allows = (list: Acl[], perms: number, caller: Identity[], skipAcl = false) =>
    table.allows(table.idOf(list), perms, caller, skipAcl);

  test('one of the wanted permissions is enough', () => {
    expect(allows([entry('world', 'anyone', 1)], 1, [])).toBe(true);
    expect(allows([entry('world', 'anyone', 1)], 2, [])).toBe(false);
    expect(allows([entry('world', 'anyone', 16)], 1 | 16, [])).toBe(true);
  });

  test('skipACL and super pass everywhere', () => {
    const nobody = [entry('world', 'anyone', 0)];
    expect(allows(nobody, 1, [LOCAL])).toBe(false);
    expect(allows(nobody, 1, [LOCAL], true)).toBe(true);
    expect(allows(nobody, 1, [LOCAL, { scheme: 'super', id: '' }])).toBe(true);
  });

  test('the scheme and the id must be the same', () => {
    const list = [entry('digest', 'ann:hash', 3), entry('world', 'anyone', 1)];
    expect(allows(list, 2, [LOCAL, ANN])).toBe(true);
    expect(allows(list, 2, [{ scheme: 'digest', id: 'ann:other' }])).toBe(false);
    expect(allows(list, 2, [{ scheme: 'sasl', id: 'ann:hash' }])).toBe(false);
    expect(allows(list, 4, [ANN])).toBe(false);
  });

  test.each([
    ['10.0.0.0/8', '10.200.3.4', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['192.168.1.128/25', '192.168.1.200', true],
    ['192.168.1.128/25', '192.168.1.100', false],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '8.8.8.8', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['fe80::1', 'fe80::1%eth0', true],
    ['127.0.0.1', '::ffff:127.0.0.1', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['10.0.0.0/8', 'garbage', false],
  ])('E45: ip %s and a caller from %s', (network, id, expected) => {
    expect(allows([entry('ip', network)], 1, [{ scheme: 'ip', id }])).toBe(expected);
  });
});

describe('the table', () => {
  test('equal lists are one, different ones differ in number and digest', () => {
    const lists = [[entry('sasl', 'a b')], [entry('sasl', 'a'), entry('sasl', 'b')], [entry('sasl', 'a b', 1)]];
    const ids = lists.map((list) => table.idOf(list));
    expect(new Set(ids).size).toBe(3);
    expect(new Set(ids.map((id) => table.digest(id))).size).toBe(3);
    expect(lists.map((list) => table.idOf(list))).toEqual(ids);
  });

  test('the digest depends on the content only', () => {
    const other = new AclTable();
    other.idOf([entry('sasl', 'first')]);
    expect(other.digest(other.idOf([entry('sasl', 'x')]))).toBe(table.digest(table.idOf([entry('sasl', 'x')])));
  });

  test('sweep forgets what no node has, and its number is given anew', () => {
    const kept = table.idOf([entry('sasl', 'kept')]);
    const gone = table.idOf([entry('sasl', 'gone')]);
    table.retain(kept);
    table.retain(gone);
    table.release(gone);
    expect(table.list(gone)).toEqual([entry('sasl', 'gone')]); // until the sweep
    table.sweep();
    expect(() => table.list(gone)).toThrow();
    expect(table.idOf([entry('sasl', 'new')])).toBe(gone);
    expect(table.list(kept)).toEqual([entry('sasl', 'kept')]);
    expect(table.list(ACL_READ_ONLY)).toEqual([entry('world', 'anyone', 1)]);
    expect(() => table.release(gone)).toThrow();
  });

  test('rollback takes references back, commit keeps them', () => {
    const [a, b] = ['a', 'b'].map((id) => table.idOf([entry('sasl', id)]));
    table.retain(a);
    table.begin();
    table.retain(b);
    table.release(a);
    table.rollback();
    table.sweep();
    expect(() => table.list(b)).toThrow();
    expect(table.list(a)).toEqual([entry('sasl', 'a')]);
    table.begin();
    table.release(a);
    table.commit();
    table.sweep();
    expect(() => table.list(a)).toThrow();
  });

  test('encode and load give the same numbers, references and free numbers', () => {
    const [a, b, c] = ['a', 'b', 'größe'].map((id) => table.idOf([entry('sasl', id), ANYONE]));
    for (const id of [a, c, c]) table.retain(id);
    table.sweep();
    const loaded = new AclTable();
    loaded.idOf([entry('sasl', 'forgotten')]);
    loaded.load(table.encode());
    expect(loaded.encode()).toEqual(table.encode());
    expect([a, c].map((id) => loaded.list(id))).toEqual([a, c].map((id) => table.list(id)));
    expect(loaded.idOf([entry('sasl', 'new')])).toBe(b);
    loaded.release(c);
    loaded.sweep();
    expect(loaded.list(c)).toEqual(table.list(c));
    expect(loaded.size).toBe(4);
  });

  test('damaged bytes are refused, and the table stays as it was', () => {
    table.retain(table.idOf([entry('sasl', 'a')]));
    const bytes = table.encode();
    const fresh = new AclTable();
    for (let end = 0; end < bytes.length; end++) {
      expect(() => fresh.load(bytes.subarray(0, end))).toThrow(ProtocolError);
    }
    expect(() => fresh.load(Uint8Array.of(...bytes, 0))).toThrow(ProtocolError);
    expect(() => fresh.load(Uint8Array.of(0, 0, 0, 9, ...bytes.subarray(4)))).toThrow('unknown version 9');
    expect(fresh.encode()).toEqual(new AclTable().encode());
  });
});
