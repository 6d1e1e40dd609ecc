/**
 * kazoo over TLS, with certificates on both sides. Real ZooKeeper passes as well, with Netty as its server: what an ACL
 * of scheme x509 says is the same in both.
 */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { Authority, whyNoOpenSsl } from '../../helpers/certificates.js';
import { whyNoKazoo } from '../../helpers/kazoo.js';
import { freePort, LOOPBACK } from '../../helpers/ports.js';
import { removeDirectory, temporaryDirectory } from '../../helpers/processes.js';
import { describeUnless, startTarget, targetName, whyNoTarget } from '../target.js';

const PYTHON = '/usr/bin/python3';
const SCRIPT = resolve('test/interop/kazoo/over_tls.py');
/** Without these a ZooKeeper speaks no TLS and knows no x509. */
const ZOOKEEPER_ONLY = {
  serverCnxnFactory: 'org.apache.zookeeper.server.NettyServerCnxnFactory',
  'authProvider.x509': 'org.apache.zookeeper.server.auth.X509AuthenticationProvider',
};

describeUnless([whyNoKazoo(), whyNoOpenSsl(), whyNoTarget()], `kazoo over TLS against ${targetName()}`, () => {
  const directory = temporaryDirectory('zabra-kazoo-tls');
  afterAll(() => removeDirectory(directory));

  test('identities and ACLs', async () => {
    const authority = new Authority(directory, 'ca');
    const issue = (name: string) => authority.issue(name, { subject: `/O=Example, Inc./OU=dev/CN=${name}` });
    const port = await freePort();
    await using server = await startTarget({
      secureClientPort: String(port),
      'ssl.keyStore.location': issue('server'),
      'ssl.trustStore.location': authority.certificate,
      'ssl.trustStore.type': 'PEM',
      ...(targetName() === 'zookeeper' ? ZOOKEEPER_ONLY : {}),
    });
    expect(server.alive).toBe(true);
    const subject = 'CN=alice,OU=dev,O=Example\\, Inc.';
    const args = [`${LOOPBACK}:${port}`, authority.certificate, issue('alice'), issue('bob'), subject];
    const failure = await new Promise<string>((settle) => {
      execFile(PYTHON, ['-B', SCRIPT, ...args], { timeout: 40_000 }, (error, stdout, stderr) => {
        settle(error === null ? '' : `${error.message}\n${stdout}${stderr}\n${server.log()}`);
      });
    });
    expect(failure).toBe('');
  }, 90_000);
});
