// Connect strings and the chroot (E67).

import fc from 'fast-check';
import { Chroot } from '../../../src/client/chroot.js';
import { hostText, parseConnectString } from '../../../src/client/connect-string.js';

describe('connect strings', () => {
  test.each([
    ['host', ['host:2181'], ''],
    ['host:1,other:2', ['host:1', 'other:2'], ''],
    [' a:1 , b ', ['a:1', 'b:2181'], ''],
    ['a/', ['a:2181'], ''],
    ['a:1,b:2/app/x', ['a:1', 'b:2'], '/app/x'],
    ['[::1],[fe80::1%eth0]:9/app', ['[::1]:2181', '[fe80::1%eth0]:9'], '/app'],
    ['10.0.0.1:2182', ['10.0.0.1:2182'], ''],
  ])('%s', (text, hosts, chroot) => {
    const target = parseConnectString(text);
    expect(target.hosts.map(hostText)).toEqual(hosts);
    expect(target.chroot).toBe(chroot);
  });

  test.each([
    ['', 'a host is empty'],
    ['a,,b', 'a host is empty'],
    ['a:', 'not a host'],
    ['a:x', 'not a host'],
    ['a:0', '0 is not a port'],
    ['a:65536', 'not a port'],
    ['::1', 'in brackets'],
    ['fe80::1:2181', 'in brackets'],
    ['a//b', 'the chroot'],
    ['a/b/', 'the chroot'],
    ['a/../b', 'the chroot'],
  ])('%s is refused', (text, why) => {
    expect(() => parseConnectString(text)).toThrow(expect.objectContaining({ name: 'BadArguments' }));
    expect(() => parseConnectString(text)).toThrow(why);
  });
});

describe('chroot', () => {
  test('there and back gives the same path', () => {
    const segment = fc.stringMatching(/^[a-z]{1,3}$/);
    const path = fc.array(segment, { maxLength: 3 }).map((names) => `/${names.join('/')}`);
    fc.assert(
      fc.property(path, path, (prefix, inner) => {
        const chroot = new Chroot(prefix === '/' ? '' : prefix);
        expect(chroot.toClient(chroot.toServer(inner))).toBe(inner);
      }),
    );
  });

  test('what lies outside stays as it is', () => {
    const chroot = new Chroot('/app');
    expect(chroot.toServer('/')).toBe('/app');
    expect(chroot.toClient('/app')).toBe('/');
    expect(chroot.toClient('/apple')).toBe('/apple');
    expect(chroot.toClient('/zookeeper/config')).toBe('/zookeeper/config');
    expect(chroot.contains('/apple')).toBe(false);
  });
});
