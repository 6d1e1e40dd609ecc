/** Configuration: what is shown is good by the schema, never goes back, and in the end is what is there. */
import { Config, type Schema } from '../../../src/recipes/index.js';
import { ARRIVAL_MS, attempt, type Recipe } from './play.js';

interface Limits {
  readonly rate: number;
}

const schema: Schema<Limits> = {
  parse(value) {
    const { rate } = value as Partial<Limits>;
    if (typeof rate !== 'number') throw new Error('rate is missing');
    return { rate };
  },
};
const PATH = '/config/a';
const OPTIONS = { schema, fallback: { rate: 0 } };

export const config: Recipe = {
  name: 'config',
  begin(play) {
    const endings: number[] = [];
    play.actor('operator', async (life) => {
      const mine = new Config(life.client, PATH, OPTIONS);
      while (!life.isOver) {
        await attempt(life, 'write', async () => {
          if (life.random.bool(0.2)) await life.client.set(PATH, '{"nothing": true}').catch(() => {});
          else await mine.update(({ rate }) => ({ rate: rate + 1 }));
          play.count('writes');
        });
        await life.sleep(300);
      }
      while ((await attempt(life, 'last write', () => mine.update(({ rate }) => ({ rate: rate + 1 })))) === undefined);
      await mine.close();
    });
    for (let i = 0; i < 2; i++) {
      play.actor(`reader${i}`, async (life) => {
        const mine = new Config(life.client, PATH, OPTIONS);
        await mine.ready();
        let zxid = 0n;
        while (!life.isOver) {
          const { current } = mine;
          play.check(current.zxid >= zxid, 'a configuration never goes back', () => ({
            who: life.name,
            zxid,
            current,
          }));
          if (current.zxid > zxid) play.count('changes seen');
          zxid = current.zxid;
          await life.sleep(100);
        }
        await life.wait(ARRIVAL_MS);
        endings.push(mine.current.value.rate);
        await mine.close();
      });
    }
    return async (client) => {
      const { rate } = JSON.parse(String((await client.get(PATH)).data)) as Limits;
      const isSame = endings.every((shown) => shown === rate);
      play.check(isSame && endings.length === 2, 'in the end all have what is there', () => ({ endings, rate }));
    };
  },
};
