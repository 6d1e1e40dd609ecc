/**
 * Protected creates: one node for each that was answered, none that nobody knows of, whatever answer gets lost.
 *
 * Leaves out those that were under way in a process that died: nobody is left to take the node away.
 */
import { orNull } from '../../../src/recipes/waiting.js';
import { attempt, type Recipe } from './play.js';

export const protectedCreate: Recipe = {
  name: 'protected-create',
  begin(play) {
    const made = new Set<string>();
    const underWay = new Set<string>();
    play.actor('maker', async (life) => {
      // A life that was killed leaves at most what it was making.
      while (!life.isOver) {
        await attempt(life, 'parent', async () => {
          if ((await life.client.exists('/parent')) === null) await life.client.create('/parent').catch(() => {});
        });
        const key = `${life.name}/${play.world.nowMs}`;
        underWay.add(key);
        await attempt(life, 'create', async () => {
          const options = { protected: true, sequential: true, timeoutMs: life.random.pick([100, 1000, 60_000]) };
          const created = await orNull(life.client.create('/parent/n-', null, options));
          if (created === null) return; // the answer to the creation of the parent was not the best
          const { path } = created;
          play.check(!made.has(path), 'a node is made once', () => path);
          made.add(path);
          play.count('created');
        });
        underWay.delete(key);
        await life.sleep(100);
      }
      await life.wait(CLEAN_MS);
    });
    return async (client) => {
      const there = (await client.children('/parent')).map((name) => `/parent/${name}`);
      const lost = [...made].filter((path) => !there.includes(path));
      play.check(lost.length === 0, 'a node that was made is there', () => lost);
      const orphans = there.filter((path) => !made.has(path));
      const dead = underWay.size + (play.counts.get('trouble kill') ?? 0) * CLEANINGS_MAX;
      play.check(orphans.length <= dead, 'no node is left that nobody knows of', () => ({ orphans, dead }));
      play.count('orphans of the dead', orphans.length);
    };
  },
};

/** Leftovers are taken away in the background. */
const CLEAN_MS = 4000;
/** A process that dies may have had so many leftovers to clean up. */
const CLEANINGS_MAX = 3;
