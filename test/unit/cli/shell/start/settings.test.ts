import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSettings } from '../../../../../src/cli/shell/start/settings.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zabra-settings-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

const settings = (flags: Record<string, unknown> = {}, env: Record<string, string> = {}) =>
  startSettings(flags, { XDG_CONFIG_HOME: directory, ...env });

test('without anything: the server of this machine, without TLS, as nobody', () => {
  expect(settings()).toEqual({
    server: '127.0.0.1:2181',
    timeoutMs: 10_000,
    readOnly: false,
    tls: undefined,
    auth: [],
  });
});

test('flags come before the environment, and that before the file', () => {
  const ca = write('ca.pem', 'CA');
  write(
    'zabra',
    `# mine\n\nserver = zk1:2181,zk2:2181/app\n timeout=500\nreadonly = true\nca = ${ca}\nauth = digest:ann:a:b\nauth=ip:x\n`,
  );
  expect(settings()).toEqual({
    server: 'zk1:2181,zk2:2181/app',
    timeoutMs: 500,
    readOnly: true,
    tls: { ca: Buffer.from('CA') },
    auth: [
      { scheme: 'digest', auth: 'ann:a:b' },
      { scheme: 'ip', auth: 'x' },
    ],
  });
  const env = { ZABRA_SERVER: 'env:1', ZABRA_AUTH: 'digest:env:x' };
  expect(settings({}, env)).toMatchObject({ server: 'env:1', auth: [{ scheme: 'digest', auth: 'env:x' }] });
  const flags = { server: 'flag:1', timeout: 7, auth: ['digest:flag:x'] };
  expect(settings(flags, env)).toMatchObject({
    server: 'flag:1',
    timeoutMs: 7,
    auth: [{ scheme: 'digest', auth: 'flag:x' }],
  });
});

test('what cannot be is refused, with the place', () => {
  write('zabra', 'server = x\nservr = y\n');
  expect(() => settings()).toThrow(
    expect.objectContaining({ message: `${directory}/zabra, line 2: there is no setting servr`, hint: 'server' }),
  );
  rmSync(join(directory, 'zabra'));
  expect(() => settings({ timeout: 'soon' })).toThrow('--timeout is a whole number of milliseconds, not soon');
  expect(() => settings({ auth: ['nothing'] })).toThrow('an identity is scheme:auth, as in digest:user:password');
  expect(() => settings({ ca: '/nowhere/ca.pem' })).toThrow('--ca: ENOENT');
  expect(() => startSettings({}, { XDG_CONFIG_HOME: write('file', '') })).toThrow(
    'the settings cannot be read: ENOTDIR',
  );
});

test("the properties of ZooKeeper's Java client", () => {
  const pem = write('me.pem', '-----BEGIN CERTIFICATE-----');
  const p12 = write('me.p12', 'binary');
  const word = write('word', 'secret\n');
  const properties = (text: string) => settings({ clientConfiguration: write('client.properties', text) }).tls;
  expect(properties('zookeeper.client.secure=false')).toBeUndefined();
  const both = `zookeeper.client.secure = true\nzookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty\nzookeeper.ssl.trustStore.location=${pem}\n`;
  expect(properties(`# c\n${both}zookeeper.ssl.keyStore.location=${pem}\n`)).toEqual({
    ca: Buffer.from('-----BEGIN CERTIFICATE-----'),
    cert: Buffer.from('-----BEGIN CERTIFICATE-----'),
    key: Buffer.from('-----BEGIN CERTIFICATE-----'),
  });
  expect(
    properties(`${both}zookeeper.ssl.keyStore.location=${p12}\nzookeeper.ssl.keyStore.passwordPath=${word}\n`),
  ).toMatchObject({
    pfx: Buffer.from('binary'),
    passphrase: 'secret',
  });
  writeFileSync(p12, Buffer.from('feedfeed00', 'hex'));
  expect(() => properties(`${both}zookeeper.ssl.keyStore.location=${p12}\n`)).toThrow(
    'is a JKS, which only Java reads',
  );
  expect(() => properties('zookeeper.ssl.crl=true')).toThrow('zookeeper.ssl.crl is not understood here');
});
