/** `zabra credential`: a line that lets its user in, and holds no password. */
import { parseCredentialLine, scramVerifier } from '../../src/server/sasl/verifiers.js';
import { runZabra } from './run-cli.js';

const PASSWORD = 'correct horse, battery';

test('a line for SCRAM, and one for DIGEST-MD5 when asked for', async () => {
  const { stdout, exitCode } = await runZabra(['credential', 'bob', '--digest-md5'], `${PASSWORD}\nmore\n`);
  expect(exitCode).toBe(0);
  expect(stdout).not.toContain(PASSWORD);
  const [first, second, ...rest] = stdout.trimEnd().split('\n').map(parseCredentialLine);
  if (typeof first !== 'object' || typeof second !== 'object') throw new Error(stdout);
  const { iterations = 0, salt, storedKey } = first.verifiers.scram ?? {};
  expect([first.user, second.user, rest.length]).toEqual(['bob', 'bob', 0]);
  expect(scramVerifier(PASSWORD, iterations, salt).storedKey).toEqual(storedKey);
  expect(second.verifiers.digestMd5).toHaveLength(16);
});

test('by default no verifier that is as good as a password', async () => {
  expect((await runZabra(['credential', 'bob'], PASSWORD)).stdout).toMatch(/^bob:SCRAM-SHA-256\$[^\n]*\n$/);
});

test.each([
  [['credential', 'bob'], '', 'there is no password'],
  [['credential', 'bob'], '\n', 'there is no password'],
  [['credential', 'b:b'], PASSWORD, 'no colon'],
])('%j with %j is refused', async (args, input, problem) => {
  const { stdout, stderr, exitCode } = await runZabra(args, input);
  expect([stdout, exitCode]).toEqual(['', 2]);
  expect(stderr).toContain(problem);
  expect(stderr).not.toContain(PASSWORD);
});
