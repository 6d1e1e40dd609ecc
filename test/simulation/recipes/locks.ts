/** Locks of all kinds: those who hold one exclude each other, and tokens rise. */
import { Election, Lock, MultiLock, ReadWriteLock, Semaphore } from '../../../src/recipes/index.js';
import { Holders } from './holders.js';
import { attempt, type Finale, type Life, type Play, type Recipe } from './play.js';

/** Options of a wait: sometimes short, sometimes given up from outside. */
function waiting({ client, random, ending }: Life): { signal?: AbortSignal; timeoutMs?: number } {
  if (random.bool(0.2)) return { signal: ending, timeoutMs: 50 + random.int(1000) };
  if (random.bool(0.8)) return { signal: ending };
  const controller = new AbortController();
  const giveUp = new Error('the play is over');
  client.clock.after(random.int(800), () => controller.abort(giveUp));
  return { signal: controller.signal };
}

function actors(play: Play, script: (life: Life) => Promise<void>): void {
  for (let i = 0; i < 2 + play.random.int(4); i++) play.actor(`p${i}`, script);
}

/** Nobody who has given up, died, or lost a session stands in the line for ever. */
function nobodyLeft(play: Play, holders: Holders, directory: string): Finale {
  return async (client) => {
    holders.checkProgress();
    await play.checkEmpty(client, directory, 'nobody is left in the line');
  };
}

export const lock: Recipe = {
  name: 'lock',
  begin(play) {
    const holders = new Holders(play, 'the lock');
    actors(play, async (life) => {
      const mine = new Lock(life.client, '/locks/a');
      while (!life.isOver) {
        await attempt(life, 'lock', async () => {
          await using lease = await (life.random.bool(0.2) ? mine.tryAcquire() : mine.acquire(waiting(life)));
          if (lease !== null) await holders.hold(life, lease);
        });
        await life.sleep(100);
      }
    });
    return nobodyLeft(play, holders, '/locks/a');
  },
};

export const readWriteLock: Recipe = {
  name: 'read-write-lock',
  begin(play) {
    const holders = new Holders(play, 'the catalogue');
    actors(play, async (life) => {
      const mine = new ReadWriteLock(life.client, '/locks/rw');
      while (!life.isOver) {
        await attempt(life, 'read-write lock', async () => {
          if (life.random.bool(0.6)) {
            await using reading = await mine.read.acquire(waiting(life));
            await holders.hold(life, reading, { isShared: true });
          } else {
            await using writing = await mine.write.acquire(waiting(life));
            await holders.hold(life, writing);
            if (life.random.bool()) return;
            await using reading = await writing.downgrade();
            await holders.hold(life, reading, { isShared: true });
          }
        });
        await life.sleep(100);
      }
    });
    return nobodyLeft(play, holders, '/locks/rw');
  },
};

export const semaphore: Recipe = {
  name: 'semaphore',
  begin(play) {
    const limit = 2;
    const holders = new Holders(play, 'a permit', limit);
    actors(play, async (life) => {
      const mine = new Semaphore(life.client, '/semaphores/a', limit);
      while (!life.isOver) {
        await attempt(life, 'semaphore', async () => {
          await using permits = await (life.random.bool(0.2) ? mine.tryAcquire() : mine.acquire(waiting(life)));
          if (permits !== null) await holders.hold(life, permits, { isShared: true });
        });
        await life.sleep(100);
      }
    });
    return nobodyLeft(play, holders, '/semaphores/a/leases');
  },
};

export const multiLock: Recipe = {
  name: 'multi-lock',
  begin(play) {
    const paths = ['/accounts/1', '/accounts/2', '/accounts/3'];
    const holders = new Map(paths.map((path) => [path, new Holders(play, path)]));
    actors(play, async (life) => {
      while (!life.isOver) {
        const wanted = life.random.shuffle([...paths]).slice(0, 2);
        await attempt(life, 'multi-lock', async () => {
          await using held = await new MultiLock(wanted.map((path) => new Lock(life.client, path))).acquire(
            waiting(life),
          );
          await Promise.all(
            held.leases.map((lease) => holders.get(lease.path.slice(0, paths[0].length))?.hold(life, lease)),
          );
        });
        await life.sleep(100);
      }
    });
    return async () => holders.get(paths[0])?.checkProgress();
  },
};

export const election: Recipe = {
  name: 'election',
  begin(play) {
    const holders = new Holders(play, 'the office');
    actors(play, async (life) => {
      const mine = new Election(life.client, '/election', { data: life.name });
      const isObserver = life.name !== 'p0' && life.random.bool(0.3);
      while (!life.isOver) {
        await attempt(life, 'election', async () => {
          if (isObserver) {
            let token = 0n;
            for await (const leader of mine.observe({ signal: life.ending })) {
              play.check(leader === null || leader.token >= token, 'no leader comes back', () => ({ token, leader }));
              token = leader?.token ?? token;
              play.count('leaders observed');
            }
          } else if (life.random.bool(0.5)) {
            await using leadership = await mine.campaign(waiting(life));
            await holders.hold(life, leadership);
            if (life.random.bool()) await leadership.resign();
          } else {
            await mine.lead((leadership) => holders.hold(life, leadership), { signal: life.ending });
          }
        });
        await life.sleep(100);
      }
    });
    return nobodyLeft(play, holders, '/election');
  },
};
