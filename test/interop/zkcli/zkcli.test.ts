/**
 * zkCli.sh, ZooKeeper's own shell: scripted sessions whose transcripts, recorded from real ZooKeeper 3.8, must be the
 * same on our server. A pair <name>.script / <name>.expected is one test, on a server of its own.
 *
 * To record anew: ZABRA_INTEROP_TARGET=zookeeper ZABRA_RECORD_EXPECTED=1 npm run test:interop -- zkcli
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ServerUnderTest } from '../../helpers/processes.js';
import { describeUnless, startTarget, targetName, whyNoTarget } from '../target.js';
import { oneShot, transcript, whyNoZkCli } from './session.js';

const SCRIPTS = resolve('test/interop/zkcli');
const recording = process.env.ZABRA_RECORD_EXPECTED === '1' && targetName() === 'zookeeper';
const names = readdirSync(SCRIPTS)
  .filter((file) => file.endsWith('.script'))
  .map((file) => file.slice(0, -'.script'.length));

describeUnless([whyNoZkCli(), whyNoTarget()], `zkCli.sh against ${targetName()}`, () => {
  let server: ServerUnderTest;
  beforeEach(async () => {
    server = await startTarget();
  });
  afterEach(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  test.each(names)('%s', async (name) => {
    const script = readFileSync(join(SCRIPTS, `${name}.script`), 'utf8');
    const actual = await transcript(server.address, script);
    const expectedFile = join(SCRIPTS, `${name}.expected`);
    if (recording) writeFileSync(expectedFile, actual);
    expect(actual).toBe(readFileSync(expectedFile, 'utf8'));
  });

  test('a command on the command line: output and exit code', async () => {
    expect(await oneShot(server.address, ['create', '/one', 'shot'])).toEqual({
      output: 'Created /one',
      exitCode: 0,
    });
    expect(await oneShot(server.address, ['get', '/one'])).toEqual({ output: 'shot', exitCode: 0 });
    expect(await oneShot(server.address, ['get', '/none'])).toEqual({
      output: 'Node does not exist: /none',
      exitCode: 1,
    });
    expect(await oneShot(`${server.address}/one`, ['create', '/inside', 'x'])).toEqual({
      output: 'Created /inside',
      exitCode: 0,
    });
    expect(await oneShot(server.address, ['ls', '-R', '/one'])).toEqual({ output: '/one\n/one/inside', exitCode: 0 });
  });
});
