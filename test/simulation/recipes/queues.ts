/**
 * Queues: what was put is there once, is delivered until it is acknowledged, to one taker at a time, and never after that.
 *
 * Leaves out the order of items, which redelivery and several takers blur; unit tests have it.
 */
import type { Client } from '../../../src/client/index.js';
import { ZooKeeperError } from '../../../src/client/index.js';
import { DelayQueue, PriorityQueue, Queue, type QueueItem } from '../../../src/recipes/index.js';
import { orNull } from '../../../src/recipes/waiting.js';
import { attempt, isExpected, isSound, type Life, type Play, type Recipe } from './play.js';

type AnyQueue = Pick<Queue, 'put' | 'take' | 'tryTake' | 'length'>;

interface Delivery {
  readonly life: Life;
  readonly item: QueueItem;
  readonly sessionId: bigint;
}

class Ledger {
  readonly put = new Set<string>();
  /** Whether they are there nobody knows: the answer was lost with the session, or the process. */
  readonly doubtful = new Set<string>();
  readonly acked = new Set<string>();
  /** Being acknowledged, or with an answer that was lost. */
  readonly acking = new Set<string>();
  readonly deliveries = new Map<string, Delivery>();

  constructor(readonly play: Play) {}

  async take(life: Life, item: QueueItem): Promise<void> {
    const { play, put, doubtful, acked, acking, deliveries } = this;
    const id = item.data?.toString() ?? '';
    const now: Delivery = { life, item, sessionId: life.client.session.id };
    play.check(put.has(id) || doubtful.has(id), 'only what was put is taken', () => id);
    if (isRight(now)) {
      play.check(!acked.has(id), 'what was acknowledged is not taken again', () => ({ id, who: life.name }));
      const other = deliveries.get(id);
      const isFree = other === undefined || !isRight(other);
      play.check(isFree, 'an item has one taker at a time', () => ({ id, who: life.name, other: other?.life.name }));
    }
    deliveries.set(id, now);
    play.count('deliveries');
    await life.sleep(life.random.pick([5, 100, 600]));
    if (life.random.bool(0.2)) await item.release();
    else {
      acking.add(id);
      try {
        await item.ack();
      } catch (error) {
        if (!(ZooKeeperError.is(error) && error.maybeApplied)) acking.delete(id);
        throw error;
      }
      // When the session was lost with the answer, ack() says only that the item is gone.
      const isOurs = life.client.session.id === now.sessionId && !life.betrayed.has(now.sessionId);
      play.check(!isOurs || !acked.has(id), 'an item is acknowledged once', () => ({ id, who: life.name }));
      acked.add(id);
      life.say(`has acknowledged ${id}`);
    }
    if (deliveries.get(id) === now) deliveries.delete(id);
  }
}

function isRight({ life, item, sessionId }: Delivery): boolean {
  return isSound(life, sessionId) && !item.signal.aborted;
}

function queueRecipe(name: string, path: string, create: (client: Client, path: string) => AnyQueue): Recipe {
  const open = (client: Client) => create(client, path);
  return {
    name,
    begin(play) {
      const ledger = new Ledger(play);
      let puts = 0;
      const producer = async (life: Life) => {
        const queue = open(life.client);
        while (!life.isOver) {
          const id = `item-${++puts}`;
          ledger.doubtful.add(id);
          try {
            await queue.put(id);
            ledger.doubtful.delete(id);
            ledger.put.add(id);
          } catch (error) {
            if (!isExpected(error)) throw error;
            if (ZooKeeperError.is(error) && !error.maybeApplied) ledger.doubtful.delete(id);
            life.say(`put of ${id}: ${(error as Error).message}`);
          }
          await life.sleep(300);
        }
      };
      const consumer = async (life: Life) => {
        const queue = open(life.client);
        while (!life.isOver) {
          await attempt(life, 'take', async () => {
            await using item = await (life.random.bool(0.3) ? queue.tryTake() : queue.take({ signal: life.ending }));
            if (item !== null) await ledger.take(life, item);
          });
          await life.sleep(50);
        }
      };
      for (let i = 0; i < 1 + play.random.int(2); i++) play.actor(`producer${i}`, producer);
      for (let i = 0; i < 1 + play.random.int(3); i++) play.actor(`consumer${i}`, consumer);
      return async (client) => {
        await play.checkEmpty(client, `${path}/taken`, 'a claim ends with its taker');
        // Delayed items may be due in an hour only, after what has happened to the clocks.
        const names = (await orNull(client.children(`${path}/entries`))) ?? [];
        const left = await Promise.all(
          names.map(async (name) => `${(await client.get(`${path}/entries/${name}`)).data}`),
        );
        const seen = [...ledger.acked, ...left];
        const twice = seen.filter((id, i) => seen.indexOf(id) !== i);
        play.check(twice.length === 0, 'an item is there once', () => twice);
        const lost = [...ledger.put].filter((id) => !seen.includes(id) && !ledger.acking.has(id));
        play.check(lost.length === 0, 'no item is lost', () => lost);
        play.count('items put', ledger.put.size);
      };
    },
  };
}

export const queue = queueRecipe('queue', '/queues/a', (client, path) => new Queue(client, path));
export const priorityQueue = queueRecipe(
  'priority-queue',
  '/queues/p',
  (client, path) => new PriorityQueue(client, path),
);
export const delayQueue = queueRecipe('delay-queue', '/queues/d', (client, path) => new DelayQueue(client, path));
