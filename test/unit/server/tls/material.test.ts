import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../../../src/server/config/index.js';
import { openSslName } from '../../../../src/server/tls/cipher-suites.js';
import { loadMaterial } from '../../../../src/server/tls/material.js';
import { clientTlsSettings, quorumTlsSettings } from '../../../../src/server/tls/settings.js';
import { Authority, openssl, whyNoOpenSsl } from '../../../helpers/certificates.js';
import { removeDirectory, temporaryDirectory } from '../../../helpers/processes.js';

const noOpenSsl = whyNoOpenSsl();

test('cipher suites go by the names of the standards and of OpenSSL', () => {
  expect(openSslName('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256')).toBe('ECDHE-RSA-AES128-GCM-SHA256');
  expect(openSslName('TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384')).toBe('ECDHE-ECDSA-AES256-SHA384');
  expect(openSslName('TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256')).toBe('ECDHE-RSA-CHACHA20-POLY1305');
  expect(openSslName('TLS_RSA_WITH_AES_128_GCM_SHA256')).toBe('AES128-GCM-SHA256');
  expect(openSslName('TLS_AES_256_GCM_SHA384')).toBe('TLS_AES_256_GCM_SHA384');
  expect(openSslName('ecdhe-rsa-aes128-gcm-sha256')).toBe('ECDHE-RSA-AES128-GCM-SHA256');
  expect(openSslName('TLS_RSA_WITH_NULL_MD5')).toBeUndefined();
});

(noOpenSsl === undefined ? describe : describe.skip)(`key material${noOpenSsl ? ` (${noOpenSsl})` : ''}`, () => {
  const directory = temporaryDirectory('zabra-material');
  const path = (name: string) => join(directory, name);
  let ca: string;
  let server: string;
  let fingerprint: string;

  beforeAll(() => {
    const authority = new Authority(directory, 'ca');
    ca = authority.certificate;
    server = authority.issue('server', { subject: '/CN=server' });
    fingerprint = new X509Certificate(readFileSync(server)).fingerprint256;
  }, 30_000);
  afterAll(() => removeDirectory(directory));

  /** @param options of zoo.cfg, without `ssl.` */
  function load(options: Readonly<Record<string, string>>, checksPeers?: boolean) {
    const all = { 'keyStore.location': server, 'trustStore.location': ca, ...options };
    const D = Object.entries(all).map(([name, value]) => `zookeeper.ssl.${name}=${value}`);
    return loadMaterial(clientTlsSettings(loadConfig({ flags: { D }, env: {} }).config), checksPeers);
  }

  /** An own file with key and certificate, PKCS12. */
  function pkcs12(name: string, ...options: readonly string[]): string {
    openssl('pkcs12', '-export', '-in', server, '-certfile', ca, '-out', path(name), ...options);
    return path(name);
  }

  test('PEM: the key, its certificate, the authorities', () => {
    const { material, certificate } = load({});
    expect(certificate.fingerprint256).toBe(fingerprint);
    expect(material.key).toContain('PRIVATE KEY');
    expect(material.ca).toEqual([readFileSync(ca, 'utf8')]);
    expect(material).toMatchObject({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' });
  });

  test('PEM: in any order, the certificate that belongs to the key is the one that is shown', () => {
    writeFileSync(path('all.pem'), readFileSync(ca, 'utf8') + readFileSync(server, 'utf8'));
    const { material, certificate } = load({ 'keyStore.location': path('all.pem') });
    expect(certificate.fingerprint256).toBe(fingerprint);
    expect(material.cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });

  test('PEM with an encrypted key, and its password from either place', () => {
    openssl('pkcs8', '-topk8', '-in', server, '-passout', 'pass:sesame', '-out', path('locked.key'));
    writeFileSync(path('locked.pem'), readFileSync(path('locked.key'), 'utf8') + readFileSync(`${server}.crt`, 'utf8'));
    writeFileSync(path('password'), 'sesame\n');
    const locked = { 'keyStore.location': path('locked.pem') };
    expect(load({ ...locked, 'keyStore.password': 'sesame' }).certificate.fingerprint256).toBe(fingerprint);
    const withFile = { ...locked, 'keyStore.password': 'wrong', 'keyStore.passwordPath': path('password') };
    expect(load(withFile).certificate.fingerprint256).toBe(fingerprint);
    expect(() => load({ ...locked, 'keyStore.password': 'open' })).toThrow(/ssl\.keyStore\.password: .*locked\.pem/);
    expect(() => load(locked)).toThrow('is locked by a password, and none is set');
  });

  test.each([
    ['of today', []],
    ['of yesterday', ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']],
    ['with a long hash', ['-macalg', 'sha512', '-certpbe', 'AES-128-CBC']],
    ['without encryption', ['-keypbe', 'NONE', '-certpbe', 'NONE']],
    ['without a MAC', ['-nomac']],
  ])('PKCS12 %s', (_what, options) => {
    const file = pkcs12('server.p12', '-passout', 'pass:pässword', ...options);
    const { material, certificate } = load({ 'keyStore.location': file, 'keyStore.password': 'pässword' });
    expect(certificate.fingerprint256).toBe(fingerprint);
    expect(material.cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    // What lies beside the key is not trusted for that.
    expect(material.ca).toEqual([readFileSync(ca, 'utf8')]);
  });

  test('PKCS12 with another password', () => {
    for (const options of [[], ['-nomac']]) {
      const file = pkcs12('server.p12', '-passout', 'pass:sesame', ...options);
      const wrong = { 'keyStore.location': file, 'keyStore.password': 'open' };
      expect(() => load(wrong)).toThrow(/ssl\.keyStore\.password: .*server\.p12 .* this password/);
    }
  });

  test('PKCS12 as a trust store, which holds no key', () => {
    openssl('pkcs12', '-export', '-nokeys', '-in', ca, '-passout', 'pass:sesame', '-out', path('trust.p12'));
    const trust = { 'trustStore.location': path('trust.p12'), 'trustStore.password': 'sesame' };
    expect(load(trust).material.ca).toEqual([readFileSync(ca, 'utf8')]);
  });

  test('the kind is told by the option, the suffix or the contents', () => {
    const bytes = readFileSync(pkcs12('server.p12', '-passout', 'pass:sesame'));
    for (const [name, type] of [
      ['store', 'auto'],
      ['store.jks', 'auto'],
      ['store.jks', 'JKS'],
      ['store.pem', 'pkcs12'],
    ] as const) {
      writeFileSync(path(name), bytes);
      const options = { 'keyStore.location': path(name), 'keyStore.password': 'sesame', 'keyStore.type': type };
      expect(load(options).certificate.fingerprint256).toBe(fingerprint);
    }
  });

  const REFUSALS: readonly (readonly [what: string, options: () => Record<string, string>, problem: RegExp])[] = [
    ['no file', () => ({ 'keyStore.location': path('none.pem') }), /^ssl\.keyStore\.location: there is no file .*none/],
    [
      'no trust',
      () => ({ 'trustStore.location': path('none') }),
      /^ssl\.trustStore\.location: there is no file .*none/,
    ],
    ['a directory', () => ({ 'keyStore.location': directory }), /ssl\.keyStore\.location: .* cannot be read/],
    [
      'a key store of Java',
      () => {
        writeFileSync(path('old.jks'), Buffer.from('feedfeed00000002', 'hex'));
        return { 'keyStore.location': path('old.jks') };
      },
      /old\.jks is a key store of type JKS.*keytool -importkeystore -srckeystore .*old\.jks -destkeystore .*old\.p12/,
    ],
    ['no key', () => ({ 'keyStore.location': ca }), /ca\.crt holds no private key/],
    [
      'the certificate of another key',
      () => {
        writeFileSync(path('mixed.pem'), readFileSync(`${server}.key`, 'utf8') + readFileSync(ca, 'utf8'));
        return { 'keyStore.location': path('mixed.pem') };
      },
      /mixed\.pem holds no certificate that belongs to its private key/,
    ],
    [
      'a password of nobody',
      () => ({ 'keyStore.passwordPath': path('none') }),
      /ssl\.keyStore\.passwordPath: there is no/,
    ],
    [
      'garbage',
      () => {
        writeFileSync(path('bad.p12'), 'garbage');
        return { 'keyStore.location': path('bad.p12') };
      },
      /bad\.p12 .*ssl\.keyStore\.type/,
    ],
    [
      'a damaged certificate',
      () => {
        const text = readFileSync(server, 'utf8');
        writeFileSync(path('bad.pem'), text.replace(/(BEGIN CERTIFICATE-----\n).{8}/, '$1AAAAAAAA'));
        return { 'keyStore.location': path('bad.pem') };
      },
      /bad\.pem/,
    ],
    ['nobody to trust', () => ({ 'trustStore.location': `${server}.key` }), /server\.pem\.key holds no certificate/],
    ['an unknown suite', () => ({ ciphersuites: 'TLS_AES_256_GCM_SHA384,TLS_X' }), /ssl\.ciphersuites: 'TLS_X' is not/],
    ['broken versions', () => ({ enabledProtocols: 'TLSv1,TLSv1.1' }), /ssl\.enabledProtocols: has none/],
  ];
  test.each(REFUSALS)('%s is refused', (_what, options, problem) => {
    expect(() => load(options())).toThrow(problem);
  });

  test('a trust store is needed where certificates are checked, and only there', () => {
    const settings = (D: string[]) => clientTlsSettings(loadConfig({ flags: { D }, env: {} }).config);
    const key = `zookeeper.ssl.keyStore.location=${server}`;
    expect(() => loadMaterial(settings([key]))).toThrow(/^ssl\.trustStore\.location: is not set/);
    expect(() => loadMaterial(settings([key, 'zookeeper.ssl.clientAuth=want']))).toThrow('ssl.trustStore.location');
    expect(loadMaterial(settings([key, 'zookeeper.ssl.clientAuth=none'])).material.ca).toBeUndefined();
    expect(() => loadMaterial(settings([key, 'zookeeper.ssl.clientAuth=none']), true)).toThrow('ssl.trustStore');
  });

  test('versions', () => {
    expect(load({ protocol: 'TLSv1.2' }).material).toMatchObject({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
    const both = load({ protocol: 'TLSv1.2', enabledProtocols: 'tlsv1.3, TLSv1.2, TLSv1.1' });
    expect(both.material).toMatchObject({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' });
  });

  test('between servers the options have their own prefix', () => {
    const D = [`zookeeper.ssl.quorum.keyStore.location=${server}`, `zookeeper.ssl.quorum.trustStore.location=${ca}`];
    const settings = quorumTlsSettings(loadConfig({ flags: { D }, env: {} }).config);
    expect(loadMaterial(settings, true).material.ca).toEqual([readFileSync(ca, 'utf8')]);
    const none = quorumTlsSettings(loadConfig({ flags: {}, env: {} }).config);
    expect(() => loadMaterial(none)).toThrow(/^ssl\.quorum\.keyStore\.location: is not set/);
  });
});
