/** How a server that was away gets what it lacks: a difference, a whole copy, or a copy in place of what is damaged. */
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { type Client, connect } from '../../src/client/index.js';
import { Ensemble, expectRefused, type Member } from '../helpers/ensemble.js';
import { Load } from '../helpers/load.js';
import { SmallDisk } from '../helpers/small-disk.js';

jest.setTimeout(90_000);

/** More than the log and the window in memory keep, in values of this size. */
const BEYOND_LOG_BYTES = 68 * 1024 * 1024;
const NEEDLE = 'needle in a haystack';
const VALUE = Buffer.alloc(512 * 1024, 'z');

/** How the leader brought that server up to date last: the kinds in its log, oldest first. */
function kinds(leader: Member, learner: Member): unknown[] {
  return leader.server.records.filter((record) => record.learner === learner.id).map(({ kind }) => kind);
}

function overwrite(file: string, at: number, bytes: Buffer): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
}

function damageMiddle(file: string): void {
  overwrite(file, Math.floor(statSync(file).size / 2) - 8192, Buffer.alloc(16_384, 0xa5));
}

/** Every copy of the value in the file, by one letter. */
function damageValue(file: string): void {
  const bytes = readFileSync(file);
  let at = bytes.indexOf(NEEDLE);
  if (at < 0) throw new Error(`${file} does not have the value`);
  for (; at >= 0; at = bytes.indexOf(NEEDLE, at + 1)) overwrite(file, at, Buffer.from('N'));
}

async function fill(client: Client, path: string, bytes: number): Promise<void> {
  await client.create(path);
  for (let i = 0; i * VALUE.length < bytes; i += 8) {
    await Promise.all(Array.from({ length: 8 }, (_, j) => client.set(path, VALUE.fill(`${i + j} `))));
  }
}

describe('a follower that was away', () => {
  let ensemble: Ensemble;
  let leader: Member;
  let follower: Member;
  beforeAll(async () => {
    ensemble = await Ensemble.start({ settings: { snapCount: '40' } });
  });
  beforeEach(async () => {
    leader = await ensemble.serving();
    follower = ensemble.others(leader)[0];
  });
  afterAll(() => ensemble?.[Symbol.asyncDispose]());

  test('for a moment gets a difference', async () => {
    await using client = await connect(leader.address);
    await client.create('/before');
    await follower.kill();
    await Promise.all(Array.from({ length: 100 }, (_, i) => client.create(`/away-${i}`, String(i))));
    await follower.start();
    await ensemble.serving();
    expect(kinds(leader, follower).at(-1)).toBe('DIFF');
    await ensemble.expectSameTrees();
  });

  test('for longer than the log reaches back gets a copy, under load, and can lead afterwards', async () => {
    await using client = await connect(leader.address);
    await follower.kill();
    await fill(client, '/large', BEYOND_LOG_BYTES);
    await using load = await Load.start(ensemble, '/snap', ensemble.others(follower));
    await follower.start();
    await ensemble.serving();
    expect(kinds(leader, follower).at(-1)).toBe('SNAP');
    await load.progress();
    await load.check();

    // Its copy is on its disk, and what came behind it: it needs no other one.
    await follower.kill();
    await client.create('/after-copy');
    await follower.start();
    await ensemble.serving();
    expect(kinds(leader, follower).at(-1)).toBe('DIFF');
    await leader.kill();
    const next = await ensemble.serving(ensemble.others(leader));
    await leader.start();
    await ensemble.serving();
    expect(kinds(next, leader).at(-1)).toBe('DIFF');
    await ensemble.expectSameTrees();
  });

  test.each([
    ['in its middle', damageMiddle],
    ['in a value that it has in its log', damageValue],
  ])('with a database that was damaged %s sets it aside and takes a copy', async (_, damage) => {
    await using client = await connect(leader.address);
    await client.create(`/needle-${damage.name}`, NEEDLE);
    await follower.stop();
    damage(join(follower.server.dataDir, 'zabra.db'));
    await using load = await Load.start(ensemble, `/${damage.name}`, ensemble.others(follower));
    await follower.start();
    await ensemble.serving();
    expect(follower.log).toMatch(/set aside as zabra\.aside-/);
    expect(readdirSync(follower.server.dataDir)).toContainEqual(expect.stringMatching(/^zabra\.aside-.*\.db$/));
    expect(await leader.mode()).toBe('leader');
    await load.progress();
    await load.check();
  });

  test('whose data are gone begins again', async () => {
    await follower.stop();
    follower.loseData();
    await follower.start();
    await ensemble.serving();
    await ensemble.expectSameTrees();
  });
});

test('a server that had to set its data aside has no say: what it acknowledged is not forgotten with them', async () => {
  await using ensemble = await Ensemble.start();
  const [damaged, absent, witness] = ensemble.members;
  await absent.kill();
  await ensemble.serving([damaged, witness]);
  const client = await connect(witness.address);
  await client.create('/only-on-two', NEEDLE);
  await client.close();
  await Promise.all([damaged.stop(), witness.stop()]);
  damageValue(join(damaged.server.dataDir, 'zabra.db'));

  // Two of three, and neither knows of the write any more: they must not go on without the third.
  await Promise.all([damaged.start(), absent.start()]);
  expect(damaged.log).toMatch(/set aside as zabra\.aside-/);
  await expectRefused(absent, 2500);
  await ensemble.notServing([damaged, absent]);
  // Not even after a restart.
  await damaged.kill();
  await damaged.start();
  await expectRefused(absent, 1500);

  await witness.start();
  await ensemble.serving();
  await using reader = await connect(damaged.address);
  expect(await reader.exists('/only-on-two')).not.toBeNull();
  await ensemble.expectSameTrees();
});

const whyNoDisk = SmallDisk.whyNot();
describe(whyNoDisk === undefined ? 'a full disk' : `a full disk (skipped: ${whyNoDisk})`, () => {
  const testWithDisk = whyNoDisk === undefined ? test : test.skip;

  testWithDisk.each(['a follower', 'the leader'])(
    'of %s stops nobody else, and it comes back by itself',
    async (who) => {
      using disk = SmallDisk.mount(32);
      await using ensemble = await Ensemble.prepare({
        settings: { snapCount: '1000' },
        dataDirs: { 1: disk.directory },
      });
      const [small, two, three] = ensemble.members;
      await small.start();
      if (who === 'a follower') await Promise.all([two.start(), three.start()]);
      else {
        await lead(ensemble, small, two, three);
      }
      const leader = await ensemble.serving();
      expect(leader === small).toBe(who === 'the leader');
      await using load = await Load.start(ensemble, '/full');
      await load.progress();
      disk.fill();
      await using writer = await connect(two.address, { sessionTimeoutMs: 20_000 });
      await writer.create('/large', null).catch(() => {}); // the leader may be the one without room
      await ensemble.until(async () => {
        await Promise.allSettled([writer.set('/large', VALUE), writer.set('/large', VALUE)]);
        return (await small.mode()) === 'none' ? true : undefined;
      }, 'the small disk never ran full');
      await ensemble.serving([two, three]);
      await load.progress();
      disk.free();
      await ensemble.serving();
      await load.progress();
      await load.check();
    },
  );
});

/** Makes `first` the leader: it alone has the newest history when the others look for one. */
async function lead(ensemble: Ensemble, first: Member, second: Member, third: Member): Promise<void> {
  await second.start();
  await ensemble.serving([first, second]);
  await using client = await connect(second.address);
  await client.create('/founded');
  await client.close();
  await second.kill();
  await ensemble.notServing([first]);
  await third.start(); // its log is empty: it can only follow
  await ensemble.serving([first, third]);
  await second.start();
  await ensemble.serving();
}
