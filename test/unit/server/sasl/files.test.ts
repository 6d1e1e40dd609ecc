/** Where the users come from: the credentials file, the JAAS file, and what is said about those that cannot be used. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../../../src/server/config/index.js';
import type { Logger } from '../../../../src/server/logging.js';
import { parseJaasUsers } from '../../../../src/server/sasl/jaas.js';
import { SaslUsers } from '../../../../src/server/sasl/users.js';
import {
  credentialLines,
  digestMd5Verifier,
  parseCredentialLine,
  scramVerifier,
} from '../../../../src/server/sasl/verifiers.js';
import { removeDirectory, temporaryDirectory, waitFor } from '../../../helpers/processes.js';

const PASSWORD = 'tell-nobody';
const directory = temporaryDirectory('zabra-sasl');
afterAll(() => removeDirectory(directory));

const jaas = (text: string, section = 'Server') => parseJaasUsers({ file: 'jaas.conf', text, section });

test('the JAAS file that everybody has', () => {
  const users = jaas(`
    // the servers among themselves
    QuorumServer { org.apache.zookeeper.server.auth.DigestLoginModule required user_peer="x"; };
    /* clients; Server { nonsense }; */
    Server {
      org.apache.zookeeper.server.auth.DigestLoginModule required
      user_super="admin secret"
      user_bob="with \\"quotes\\" and ; and {"
      debug=true
      user_eve=plain;
    };
    Client { com.sun.security.auth.module.Krb5LoginModule required keyTab="/x"; };
  `);
  expect([...users]).toEqual([
    ['super', 'admin secret'],
    ['bob', 'with "quotes" and ; and {'],
    ['eve', 'plain'],
  ]);
  const two = 'A { x.DigestLoginModule required user_a="1"; x.DigestLoginModule optional user_b="2"; };';
  expect([...jaas(two, 'A').keys()]).toEqual(['a', 'b']);
});

test.each([
  ['', 'has no section Server'],
  ['Client { x.DigestLoginModule required user_bob="tell-nobody"; };', 'has no section Server'],
  ['Server { x.Krb5LoginModule required; };', 'Krb5LoginModule'],
  ['Server { x.DigestLoginModule required; };', 'no users'],
  ['Server { x.DigestLoginModule required user_bob="tell-nobody" };', 'is not name="value"'],
  ['Server { x.DigestLoginModule required user_bob "tell-nobody"; };', 'is not name="value"'],
  ['Server { x.DigestLoginModule required user_bob="tell-nobody', 'cannot be read'],
])('%j is refused, and not quoted', (text, problem) => {
  const attempt = () => jaas(text);
  expect(attempt).toThrow(ConfigError);
  expect(attempt).toThrow(problem);
  expect(attempt).not.toThrow(PASSWORD);
});

test('lines are read as they are written, without the password', () => {
  const verifiers = { scram: scramVerifier(PASSWORD, 4096), digestMd5: digestMd5Verifier('bob', PASSWORD) };
  const lines = credentialLines('bob', verifiers);
  expect(lines).toHaveLength(2);
  expect(lines.join('\n')).not.toContain(PASSWORD);
  expect(lines.map(parseCredentialLine)).toEqual([
    { user: 'bob', verifiers: { scram: verifiers.scram } },
    { user: 'bob', verifiers: { digestMd5: verifiers.digestMd5 } },
  ]);
  for (const name of ['', 'a:b', 'a b', 'a\n', '#a'])
    expect(() => credentialLines(name, verifiers)).toThrow(RangeError);
});

test.each([
  ['bob', 'is not'],
  [':x', 'is not'],
  [`bob:${PASSWORD}`, 'passwords do not stand here'],
  ['bob:SCRAM-SHA-256$1000:c2FsdA==$c2FsdA==:c2FsdA==', 'iterations'],
  ['bob:SCRAM-SHA-256$4096:c2FsdA==$c2FsdA==:c2FsdA==', 'length'],
  [`bob:DIGEST-MD5$elsewhere$${'0'.repeat(32)}`, 'realm'],
  ['bob:DIGEST-MD5$zk-sasl-md5$00', 'length'],
])('the line %s is refused, and not quoted', (line, problem) => {
  const parsed = parseCredentialLine(line);
  expect(parsed).toContain(problem);
  expect(parsed).not.toContain(PASSWORD);
});

describe('users', () => {
  const told: string[] = [];
  const log = (message: string) => told.push(message);
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const file = (name: string, text: string, mode = 0o600): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  };
  const bobsLine = credentialLines('bob', { scram: scramVerifier(PASSWORD, 4096) })[0] as string;
  beforeEach(() => {
    told.length = 0;
  });

  test('of both files; who is in both has the verifier of the credentials file', () => {
    const users = new SaslUsers(
      {
        saslCredentialsPath: file('both', `# made by hand\n\n${bobsLine}\n`),
        jaasConfigPath: file('jaas', 'Server { x.DigestLoginModule required user_bob="other" user_ann="pw"; };'),
        jaasSection: 'Server',
      },
      logger,
    );
    users.close();
    expect(users.find('bob')?.scram?.iterations).toBe(4096);
    expect(users.find('bob')?.digestMd5).toBeUndefined();
    expect(users.find('ann')?.digestMd5).toEqual(digestMd5Verifier('ann', 'pw'));
    expect(users.find('ann')?.scram).toBe(users.find('ann')?.scram);
    expect(users.find('eve')).toBeUndefined();
    expect(users.find('__proto__')).toBeUndefined();
    expect(told).toEqual(['SASL: 2 users may log in']);
  });

  test('a file that others may read is warned of; one that is not there is refused', () => {
    const of = (saslCredentialsPath: string) =>
      new SaslUsers({ saslCredentialsPath, jaasConfigPath: undefined, jaasSection: 'Server' }, logger);
    of(file('open', bobsLine, 0o644)).close();
    expect(told[0]).toContain('chmod 600');
    expect(() => of(join(directory, 'none'))).toThrow('cannot be read (ENOENT)');
    expect(() => of(file('bad', `${bobsLine}\nann:${PASSWORD}\n`))).toThrow(/^sasl.credentialsPath: line 2 of/);
    expect(() => of(file('bad', `ann:${PASSWORD}\n`))).not.toThrow(PASSWORD);
  });

  test('a file that changes is read again, and one that went bad is not', async () => {
    const path = file('changing', bobsLine);
    const users = new SaslUsers(
      { saslCredentialsPath: path, jaasConfigPath: undefined, jaasSection: 'Server' },
      logger,
    );
    writeFileSync(path, bobsLine.replace('bob', 'ann'));
    await waitFor(
      () => users.find('ann'),
      10_000,
      () => told.join('\n'),
    );
    expect(users.find('bob')).toBeUndefined();
    writeFileSync(path, `nonsense, and longer than before ${PASSWORD}`);
    await waitFor(
      () => told.find((line) => line.includes('stay as they were')),
      10_000,
      () => told.join('\n'),
    );
    expect(users.find('ann')).toBeDefined();
    expect(told.join('\n')).not.toContain(PASSWORD);
    users.close();
  }, 20_000);
});
