/** Counters and shared values: every change is there once; only those whose answer was lost with the session may be missing. */
import { ZooKeeperError } from '../../../src/client/index.js';
import { Counter, SharedValue } from '../../../src/recipes/index.js';
import { isExpected, type Recipe } from './play.js';

/** Whether the change that failed may have been made. */
function isDoubtful(error: unknown): boolean {
  if (!isExpected(error)) throw error;
  return !ZooKeeperError.is(error) || error.maybeApplied;
}

export const counter: Recipe = {
  name: 'counter',
  begin(play) {
    const sums = new Set<bigint>();
    let begun = 0;
    let refused = 0;
    for (let i = 0; i < 1 + play.random.int(4); i++) {
      play.actor(`p${i}`, async (life) => {
        const mine = new Counter(life.client, '/counters/a');
        while (!life.isOver) {
          begun++;
          try {
            const sum = await mine.add(1);
            play.check(!sums.has(sum), 'a number is given once', () => ({ who: life.name, sum }));
            sums.add(sum);
            play.count('additions');
          } catch (error) {
            if (!isDoubtful(error)) refused++;
            life.say(`add: ${(error as Error).message}`);
          }
          await life.sleep(200);
        }
        await mine.close();
      });
    }
    return async (client) => {
      const value = await new Counter(client, '/counters/a').get();
      const sum = { value, answered: sums.size, begun, refused };
      const isExact = value >= BigInt(sums.size) && value <= BigInt(begun - refused);
      play.check(isExact, 'all additions are there, and once', () => sum);
    };
  },
};

export const sharedValue: Recipe = {
  name: 'shared-value',
  begin(play) {
    const written = new Set<string>();
    const refused = new Set<string>();
    let tags = 0;
    for (let i = 0; i < 1 + play.random.int(4); i++) {
      play.actor(`p${i}`, async (life) => {
        const mine = new SharedValue(life.client, '/values/a', { initial: '' });
        while (!life.isOver) {
          const tag = `t${++tags}`;
          try {
            if (life.random.bool()) await mine.update((now) => `${now} ${tag}`);
            else {
              const { data, version } = await mine.get();
              if (!(await mine.compareAndSet(version, `${data} ${tag}`))) throw new NotFirst('the play is over');
            }
            written.add(tag);
            play.count('updates');
          } catch (error) {
            if (error instanceof NotFirst || !isDoubtful(error)) refused.add(tag);
            life.say(`${tag}: ${(error as Error).message}`);
          }
          await life.sleep(200);
        }
        await mine.close();
      });
    }
    return async (client) => {
      const { data } = await new SharedValue(client, '/values/a', { initial: '' }).get();
      const there = (data?.toString() ?? '').split(' ').filter((tag) => tag !== '');
      const twice = there.filter((tag, i) => there.indexOf(tag) !== i);
      play.check(twice.length === 0, 'no write is made twice', () => twice);
      const lost = [...written].filter((tag) => !there.includes(tag));
      play.check(lost.length === 0, 'no write is lost', () => lost);
      const wrong = there.filter((tag) => refused.has(tag));
      play.check(wrong.length === 0, 'what was said not to be written is not', () => wrong);
    };
  },
};

/** Somebody else was faster: said, and certain. */
class NotFirst extends Error {}
