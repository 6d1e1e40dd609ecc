// Where clients are taken over TLS: secureClientPort, or the own line of the ensemble.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, redactedConfig } from '../../../../src/server/config/index.js';

const directory = mkdtempSync(join(tmpdir(), 'zabra-secure-'));
afterAll(() => rmSync(directory, { recursive: true }));

function load(...lines: string[]) {
  const file = join(directory, 'zoo.cfg');
  writeFileSync(file, [`dataDir=${directory}`, 'tickTime=2000', ...lines].join('\n'));
  return loadConfig({ file, env: {} });
}
const listen = (...lines: string[]) => load(...lines).config.secureClientListen;

test('port and address', () => {
  expect(listen('clientPort=2181')).toBeUndefined();
  expect(listen('secureClientPort=2281')).toEqual({ host: undefined, port: 2281 });
  expect(listen('secureClientPort=2281', 'secureClientPortAddress=10.0.0.1')).toEqual({ host: '10.0.0.1', port: 2281 });
  expect(listen('secureClientPort=2281', 'secureClientPortAddress=0.0.0.0')).toEqual({ host: undefined, port: 2281 });
  // Then there is no plain one, and nobody is warned that clients cannot connect.
  const { config, warnings } = load('secureClientPort=2281');
  expect(config.clientListen).toBeUndefined();
  expect(warnings).toEqual([]);
});

test('the line of the server counts, and has to agree', () => {
  const line = 'server.1=a:2888:3888;2181;2281';
  expect(listen(line)).toEqual({ host: undefined, port: 2281 });
  expect(listen(line, 'secureClientPort=2281', 'secureClientPortAddress=10.0.0.1')).toMatchObject({ host: '10.0.0.1' });
  expect(() => load(line, 'secureClientPort=2282')).toThrow('differs from port 2281 in the line server.1');
});

test('an address without a port, and one port for two things, are refused', () => {
  expect(() => load('secureClientPortAddress=10.0.0.1')).toThrow('is set, but secureClientPort is not');
  expect(() => load('clientPort=2181', 'secureClientPort=2181')).toThrow('is 2181, as clientPort is');
});

test('options of TLS take effect without a word; passwords are not shown', () => {
  const { config, warnings } = load(
    'secureClientPort=2281',
    'ssl.keyStore.location=/k.p12',
    'ssl.keyStore.password=sesame',
    'ssl.keyStore.type=pkcs12',
    'ssl.clientAuth=WANT',
    'ssl.enabledProtocols=TLSv1.3',
    'ssl.protocol=TLSv1.3',
    'client.certReload=true',
    'client.portUnification=false',
    'X509AuthenticationProvider.superUser=CN=admin',
  );
  expect(warnings).toEqual([]);
  expect(config).toMatchObject({ tlsKeyStoreType: 'PKCS12', tlsClientAuth: 'want', x509SuperUser: 'CN=admin' });
  expect(redactedConfig(config).tlsKeyStorePassword).toBe('<hidden>');
});
