/**
 * Caches: what they show never goes back in zxid order, no child without its parent, and in the end exactly what is there.
 *
 * Leaves out whether a state that is called a snapshot is one that the tree has had as a whole.
 */
import type { Client } from '../../../src/client/index.js';
import { type CachedNode, NodeCache, TreeCache } from '../../../src/recipes/index.js';
import { orNull } from '../../../src/recipes/waiting.js';
import { ARRIVAL_MS, attempt, type Life, type Play, type Recipe } from './play.js';

const ROOT = '/tree';
const PATHS = [ROOT, '/tree/a', '/tree/b', '/tree/a/x', '/tree/a/y', '/tree/b/z'] as const;

function writers(play: Play): void {
  for (let i = 0; i < 1 + play.random.int(2); i++) {
    play.actor(`writer${i}`, async (life) => {
      const { client, random } = life;
      while (!life.isOver) {
        const path = random.pick(PATHS);
        const choice = random.int(10);
        try {
          if (choice < 4) await client.create(path, `${random.int(1000)}`);
          else if (choice < 8) await client.set(path, `${random.int(1000)}`);
          else await client.delete(path);
          play.count('changes');
        } catch (error) {
          const isRefusal = ['NoNode', 'NodeExists', 'NotEmpty'].includes((error as { name: string }).name);
          if (!isRefusal) await attempt(life, 'write', () => Promise.reject(error));
        }
        await life.sleep(random.pick([2, 20, 300]));
      }
    });
  }
}

/** The newest that was seen of each path. */
class Memory {
  private readonly mzxids = new Map<string, bigint>();

  constructor(private readonly play: Play) {}

  see(life: Life, node: CachedNode): void {
    const { path, stat } = node;
    const before = this.mzxids.get(path) ?? 0n;
    this.play.check(stat.mzxid >= before, 'a cache never goes back', () => ({
      who: life.name,
      path,
      before,
      now: stat.mzxid,
    }));
    this.mzxids.set(path, stat.mzxid);
  }
}

async function truth(client: Client): Promise<string[]> {
  const nodes = await Promise.all(PATHS.map(async (path) => ({ path, node: await orNull(client.get(path)) })));
  return nodes.flatMap(({ path, node }) => (node === null ? [] : [`${path} ${node.stat.mzxid} ${node.data}`]));
}

export const treeCache: Recipe = {
  name: 'tree-cache',
  begin(play) {
    writers(play);
    const endings: string[][] = [];
    for (let i = 0; i < 1 + play.random.int(2); i++) {
      play.actor(`reader${i}`, async (life) => {
        const cache = new TreeCache(life.client, ROOT);
        const memory = new Memory(play);
        cache.onUpdate(({ changes }) => {
          play.count('updates of the cache');
          for (const change of changes) if (change.type !== 'removed') memory.see(life, change.node);
          const paths = new Set(cache.entries().map(({ path }) => path));
          const orphans = [...paths].filter(
            (path) => path !== ROOT && !paths.has(path.slice(0, path.lastIndexOf('/'))),
          );
          play.check(orphans.length === 0, 'no child without its parent', () => ({ who: life.name, orphans }));
          if (changes.some(({ type }) => type === 'removed')) play.count('removals seen');
        });
        await cache.ready();
        while (!life.isOver) await life.sleep(200);
        await life.wait(ARRIVAL_MS);
        const nodes = PATHS.map((path) => cache.get(path)).filter((node) => node !== undefined);
        endings.push(nodes.map(({ path, stat, data }) => `${path} ${stat.mzxid} ${data}`));
        await cache.close();
      });
    }
    return async (client) => {
      const expected = await truth(client);
      for (const shown of endings) {
        play.check(shown.join() === expected.join(), 'in the end a cache shows what is there', () => ({
          shown,
          expected,
        }));
      }
    };
  },
};

export const nodeCache: Recipe = {
  name: 'node-cache',
  begin(play) {
    writers(play);
    const endings: (string | null)[] = [];
    const path = PATHS[3];
    play.actor('reader', async (life) => {
      const cache = new NodeCache(life.client, path);
      const memory = new Memory(play);
      cache.onUpdate((node) => {
        play.count('updates of the cache');
        if (node !== undefined) memory.see(life, node);
      });
      await cache.ready();
      while (!life.isOver) await life.sleep(200);
      await life.wait(ARRIVAL_MS);
      endings.push(text(cache.node));
      await cache.close();
    });
    return async (client) => {
      const expected = text((await orNull(client.get(path))) ?? undefined);
      for (const shown of endings) {
        play.check(shown === expected, 'in the end a cache shows what is there', () => ({ shown, expected }));
      }
    };
  },
};

function text(node: Pick<CachedNode, 'data' | 'stat'> | undefined): string | null {
  return node === undefined ? null : `${node.stat.mzxid} ${node.data}`;
}
