/** What a process keeps up as long as it lives: a node, its membership, its registration, its share of partitions. */
import {
  GroupMembership,
  type OwnedPartition,
  Partitioner,
  PersistentNode,
  ServiceDiscovery,
} from '../../../src/recipes/index.js';
import { attempt, isSound, type Life, type Recipe } from './play.js';

/** Longest session timeout, and all that has to happen behind it. */
const SETTLE_MS = 6000;

export const persistentNode: Recipe = {
  name: 'persistent-node',
  begin(play) {
    const names = ['w0', 'w1'];
    const found = new Map<string, string>();
    for (const name of names) {
      play.actor(name, async (life) => {
        const node = new PersistentNode(life.client, `/nodes/${name}`, { data: 'start', takeOver: true });
        let token = 0n;
        let data = 'start';
        while (!life.isOver) {
          await attempt(life, 'node', async () => {
            await node.ready({ signal: life.ending });
            play.check(node.token >= token, 'its token rises', () => ({ name, token, now: node.token }));
            if (node.token > token) play.count('nodes made');
            token = node.token;
            if (life.random.bool(0.3)) {
              data = `state ${life.random.int(100)}`;
              await node.set(data, { signal: life.ending });
            }
            if (life.random.bool(0.1)) await life.client.delete(node.path).catch(() => {});
          });
          await life.sleep(200);
        }
        await life.wait(SETTLE_MS);
        const { data: there, stat } = await life.client.get(node.path);
        found.set(name, `${there}`);
        const isOwn = stat.ephemeralOwner === life.client.session.id && `${there}` === data;
        play.check(isOwn, 'the node of who lives is there', () => ({ name, there: `${there}`, data, stat }));
        await node.close();
      });
    }
    return async (client) => {
      play.check(found.size === names.length, 'all have looked', () => [...found]);
      const left = await client.children('/nodes').catch(() => []);
      play.check(left.length === 0, 'who has closed leaves nothing', () => left);
    };
  },
};

export const groupMembership: Recipe = {
  name: 'group-membership',
  begin(play) {
    const ids = ['m0', 'm1', 'm2'];
    const seen: string[] = [];
    for (const id of ids) {
      play.actor(id, async (life) => {
        const group = new GroupMembership(life.client, '/groups/a');
        let me = await group.join(id, life.name);
        while (!life.isOver) {
          await attempt(life, 'membership', async () => {
            await me.ready({ signal: life.ending });
            if (!life.random.bool(0.1)) return;
            await me.close();
            await life.sleep(300);
            me = await group.join(id, life.name);
            play.count('joined');
          });
          await life.sleep(300);
        }
        await life.wait(SETTLE_MS);
        seen.push((await group.members()).map((member) => member.id).join());
        await life.wait(SETTLE_MS);
        await me.close();
      });
    }
    play.actor('observer', async (life) => {
      const tokens = new Map<string, bigint>();
      const watcher = new GroupMembership(life.client, '/groups/a');
      try {
        for await (const members of watcher.observe({ signal: life.ending })) {
          for (const { id, token } of members) {
            play.check(token >= (tokens.get(id) ?? 0n), 'no former member comes back', () => ({ id, token }));
            tokens.set(id, token);
          }
          play.count('groups observed');
        }
      } catch (error) {
        if (!life.isOver) throw error;
      }
    });
    return async () => {
      const whole = ids.join();
      play.check(
        seen.length === ids.length && seen.every((members) => members === whole),
        'all who live see all who live',
        () => seen,
      );
    };
  },
};

export const partitioner: Recipe = {
  name: 'partitioner',
  begin(play) {
    const partitions = 2 + play.random.int(4);
    const owners = new Map<number, { life: Life; owned: OwnedPartition; sessionId: bigint }>();
    const tokens = new Map<number, bigint>();
    const lives = new Map<string, Partitioner>();
    const work = async (life: Life, owned: OwnedPartition) => {
      const { index, token } = owned;
      const me = { life, owned, sessionId: life.client.session.id };
      const isRight = (one: typeof me) => isSound(one.life, one.sessionId);
      const other = owners.get(index);
      if (!owned.signal.aborted && isRight(me)) {
        const isFree = other === undefined || !isRight(other) || other.owned.signal.aborted;
        play.check(isFree, 'a partition has one owner', () => ({ index, who: life.name, other: other?.life.name }));
        play.check(token > (tokens.get(index) ?? 0n), 'tokens of a partition rise', () => ({ index, token }));
        tokens.set(index, token);
      }
      owners.set(index, me);
      play.count('partitions owned');
      while (!owned.signal.aborted) await life.sleep(100);
      if (life.random.bool(0.3)) await life.sleep(100); // ends what it has begun
      if (owners.get(index) === me) owners.delete(index);
    };
    const names = ['m0', 'm1', 'm2'].slice(0, 2 + play.random.int(2));
    const shares = new Map<string, number[]>();
    for (const name of names) {
      play.actor(name, async (life) => {
        const mine = new Partitioner(life.client, '/partitions/a', { partitions, id: name });
        lives.set(name, mine);
        const stopping = new AbortController();
        const running = mine.run((owned) => work(life, owned), { signal: stopping.signal });
        running.catch((error: unknown) => play.failed(life.name, error));
        while (!life.isOver) await life.sleep(200);
        await life.wait(SETTLE_MS);
        shares.set(name, mine.owned);
        await life.wait(SETTLE_MS);
        stopping.abort();
        await running;
      });
    }
    return async () => {
      const owned = [...shares.values()];
      const all = owned.flat().sort();
      const isComplete = all.length === partitions && new Set(all).size === partitions;
      play.check(isComplete, 'in the end each partition has an owner', () => [...shares]);
      const sizes = owned.map(({ length }) => length);
      play.check(Math.max(...sizes) - Math.min(...sizes) <= 1, 'shares differ by one at most', () => [...shares]);
    };
  },
};

export const serviceDiscovery: Recipe = {
  name: 'service-discovery',
  begin(play) {
    const ids = ['i0', 'i1', 'i2'];
    const endings: string[] = [];
    for (const id of ids) {
      play.actor(id, async (life) => {
        const discovery = new ServiceDiscovery(life.client, '/services');
        const registrant = { name: 'api', id, address: life.name, port: 80 };
        let registration = await discovery.register(registrant);
        while (!life.isOver) {
          await attempt(life, 'registration', async () => {
            if (life.random.bool(0.3))
              await registration.update({ load: life.random.int(10) }, { signal: life.ending });
            if (!life.random.bool(0.1)) return;
            await registration.close();
            await life.sleep(300);
            registration = await discovery.register(registrant);
            play.count('registered');
          });
          await life.sleep(300);
        }
        await life.wait(2 * SETTLE_MS);
        await registration.close();
      });
    }
    play.actor('caller', async (life) => {
      const view = await new ServiceDiscovery(life.client, '/services').watch('api');
      while (!life.isOver) {
        if (view.instances.length > 0) {
          view.pick();
          play.count('picked');
        }
        await life.sleep(100);
      }
      await life.wait(SETTLE_MS);
      endings.push(view.instances.map(({ id }) => id).join());
      await view.close();
    });
    return async () => {
      play.check(endings.join('; ') === ids.join(), 'in the end all who live are listed', () => endings);
    };
  },
};
