// The same commands through zkCli.sh and through `zabra cli`, on one and the same server, one after the other. The answers
// are compared line by line, with times, ids and addresses masked as in the other zkCli suites; where they differ, the
// table of differences has to say why, and each of its rows has to be needed.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { transcript as ourTranscript, runZabra } from '../../../cli/run-cli.js';
import type { ServerUnderTest } from '../../../helpers/processes.js';
import { describeUnless, startTarget, targetName, whyNoTarget } from '../../target.js';
import { mask, whyNoZkCli, transcript as zkCliTranscript } from '../session.js';
import { DIFFERENCES, withoutAdvice, withoutCommandList } from './differences.js';

const SCRIPT = readFileSync(join(resolve('test/interop/zkcli/side-by-side'), 'commands.script'), 'utf8');
const COMMANDS = SCRIPT.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

/** What the events, which come at their own time, are the consequence of, in their order. */
const EVENTS = [
  'set /w 1',
  'create /w/new x',
  'delete /w/new',
  'set /w 3',
  'create /w/child x',
  'removewatches /w',
  'create /deep 1',
  'create /deep/er 2',
  'removewatches /deep',
  'removewatches /w -d',
].map((cause) => `event after ${cause}`);

/** Takes away what the commands leave, whatever its ACL. */
const CLEAN = `addauth digest ann:secret
setAcl -R /open world:anyone:cdrwa
delete /there
${['/open', '/mine', '/shared', '/w', '/deep', '/q'].map((path) => `deleteall ${path}`).join('\n')}
`;

/** What was printed for each command, and at the end the events. */
function sections(transcript: string): string[][] {
  return transcript
    .split(/^(?:> .*|== events ==)\n/m)
    .slice(1)
    .map((section) => section.split('\n').filter((line) => line.trim() !== ''));
}

describeUnless([whyNoZkCli(), whyNoTarget()], `zkCli.sh and zabra cli on ${targetName()}`, () => {
  let server: ServerUnderTest;
  beforeAll(async () => {
    server = await startTarget();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('answer line by line the same, or the table says why not', async () => {
    expect(COMMANDS.length).toBeGreaterThan(60);
    const theirs = sections(await zkCliTranscript(server.address, SCRIPT));
    await runZabra(['cli', '-server', server.address], CLEAN);
    expect((await runZabra(['cli', '-server', server.address, '--', 'ls', '/'])).stdout).toBe('[zookeeper]\n');
    const ours = sections(mask(await ourTranscript(server.address, SCRIPT)));

    const rows = COMMANDS.map((command, i) => ({
      command,
      zkCli: withoutCommandList(theirs[i]),
      zabra: withoutAdvice(ours[i]),
    }));
    const events = EVENTS.map((command, i) => ({
      command,
      zkCli: theirs[COMMANDS.length].slice(i, i + 1),
      zabra: ours[COMMANDS.length].slice(i, i + 1),
    }));
    expect(ours[COMMANDS.length]).toHaveLength(EVENTS.length);
    const differing = [...rows, ...events].filter(({ zkCli, zabra }) => zkCli.join('\n') !== zabra.join('\n'));
    expect(differing).toEqual(DIFFERENCES.map(({ why: _, ...difference }) => difference));
  }, 120_000);

  test('what zkCli.sh has no word for works here as well', async () => {
    const script = `create /x '{"a":1}'
create -e /x/eph mine
create -s /x/job- 1
delete /x/job-0000000001
tree /x
find -e /x
du /x
cp -R /x /y
create -s /y/job- 2
delete /y/eph
mv /y /z
ls /z
diff -a /x /z
locks /x
owner /x/eph
session list
watch-stats
export /z
`;
    const { stdout } = await runZabra(['cli', '-server', server.address, '--quiet'], script);
    const shown = mask(stdout).replaceAll(/0x[0-9a-f]{6,}/g, '<id>');
    expect(shown).toContain('/x\n└── eph\n/x/eph\n');
    expect(shown).toContain('    4      1  /x/eph\n   11      2  /x\n');
    expect(shown).toContain('/y/job-0000000002\n[job-0000000002]\n- /eph\n+ /job-0000000002\n');
    expect(shown).toMatch(/^session = <id> \(this shell\)\nclient = <address>, on server <address>$/m);
    expect(shown).toMatch(/^<id> \(this\) +<address> +<address> +10000 ms +[A-Z]{4} +1$/m);
    expect(shown).toContain('0 sessions watch 0 paths with 0 watches\n');
    expect(shown).toContain('"counter":3}\n');
  }, 60_000);
});
