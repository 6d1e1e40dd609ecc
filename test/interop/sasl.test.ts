/**
 * Clients that people have log in by SASL with DIGEST-MD5: kazoo (puresasl), and ZooKeeper's own Java client through its
 * shell. The users stand in the JAAS file that a ZooKeeper server is given, and real ZooKeeper passes as well.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { whyNoKazoo } from '../helpers/kazoo.js';
import { removeDirectory, type ServerUnderTest, temporaryDirectory } from '../helpers/processes.js';
import { describeUnless, startTarget, targetName, whyNoTarget } from './target.js';
import { whyNoZkCli } from './zkcli/session.js';

const PYTHON = '/usr/bin/python3';
const SCRIPT = resolve('test/interop/kazoo/sasl.py');
const ZKCLI = '/usr/share/zookeeper/bin/zkCli.sh';
const MODULE = 'org.apache.zookeeper.server.auth.DigestLoginModule';

interface Outcome {
  readonly failed: boolean;
  readonly output: string;
}

function run(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((settle) => {
    const options = { timeout: 45_000, env: { ...process.env, ...env } };
    execFile(command, args, options, (error, stdout, stderr) =>
      settle({ failed: error !== null, output: `${stdout}${stderr}` }),
    );
  });
}

describeUnless([whyNoTarget()], `SASL against ${targetName()}`, () => {
  const directory = temporaryDirectory('zabra-sasl');
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const jaas = file('server.jaas', `Server {\n${MODULE} required\nuser_bob="bobsecret"\nuser_ann="annsecret";\n};\n`);
  let server: ServerUnderTest;

  beforeAll(async () => {
    server = await startTarget({
      'authProvider.1': 'org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
      'java.security.auth.login.config': jaas,
    });
  }, 60_000);
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    removeDirectory(directory);
  });

  (whyNoKazoo() === undefined ? test : test.skip)(
    'kazoo',
    async () => {
      const { failed, output } = await run(PYTHON, ['-B', SCRIPT, server.address]);
      expect([failed, failed ? `${output}\n${server.log()}` : '']).toEqual([false, '']);
    },
    60_000,
  );

  (whyNoZkCli() === undefined ? test : test.skip)(
    'the Java client',
    async () => {
      const zkCli = (password: string, ...command: string[]) => {
        const client = file(
          'client.jaas',
          `Client {\n${MODULE} required\nusername="bob"\npassword="${password}";\n};\n`,
        );
        const env = { JAVA_TOOL_OPTIONS: `-Djava.security.auth.login.config=${client}` };
        return run(ZKCLI, ['-server', server.address, ...command], env);
      };
      const created = await zkCli('bobsecret', 'create', '/java', 'his', 'sasl:bob:cdrwa');
      expect(created.output).toContain('Created /java');
      expect((await zkCli('bobsecret', 'get', '/java')).output).toContain('his');
      expect((await zkCli('bobsecret', 'whoami')).output).toMatch(/sasl: bob/);
      const wrong = await zkCli('wrong', 'get', '/java');
      expect(wrong.output).toMatch(/AuthFailed|AUTH_FAILED|Authentication failed/i);
      expect(wrong.output).not.toMatch(/^his$/m);
    },
    120_000,
  );
});
