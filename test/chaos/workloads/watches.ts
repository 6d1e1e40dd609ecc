/**
 * One-shot watches: a change is told once to whoever waits for it, before any answer that shows it (E59), and the loss of a
 * connection loses none (E62).
 *
 * At the end every node is changed once more, so that every watch that is still set has something to tell.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation } from '../history.js';
import { brief, groupBy, pace, processNumbers, textOf, type Workload } from './workload.js';

const WATCHERS = 3;
const KEYS = 2;
const WRITE_PACE_MS = 60;
const READ_PACE_MS = 30;
/** How long after the last change an event may take. */
const EVENT_MS = 15_000;

export const watches: Workload = {
  name: 'watches',
  promise: 'each change is told once, before it is seen, and none is missed',

  async begin(stage) {
    const keys = processNumbers(KEYS).map((number) => `${stage.root}/w${number}`);
    const writer = await stage.connect();
    const clients = await Promise.all(processNumbers(WATCHERS).map(() => stage.connect()));
    for (const key of keys) await writer.create(key, '0');
    for (const client of clients) await client.sync(stage.root);
    let hasChangedLast = false;
    const write = async (): Promise<void> => {
      for (let step = 1; !stage.isOver; step++) {
        const key = stage.random.pick(keys);
        await stage.call(
          { process: WATCHERS, name: 'write', key },
          () => writer.set(key, String(step)),
          ({ version }) => version,
        );
        await pace(stage, WRITE_PACE_MS);
      }
    };
    /** Which watches wait for their event, and which are on their way to be set. */
    const armed = new Set<string>();
    const arming = new Set<Promise<unknown>>();
    const watch = async (process: number, key: string): Promise<void> => {
      const client = clients[process];
      const name = `${process} ${key}`;
      for (let watchNumber = 1; !stage.isOver; watchNumber++) {
        let fire: () => void = () => {};
        const fired = new Promise<void>((resolve) => {
          fire = resolve;
        });
        const onEvent = ({ type }: { readonly type: string }): void => {
          stage.note({ process, name: 'event', key, input: watchNumber }, type);
          armed.delete(name);
          fire();
        };
        const get = () => client.get(key, { watch: onEvent });
        armed.add(name);
        const ask = { process, name: 'arm', key, input: watchNumber };
        const arm = stage.call(ask, get, ({ stat }) => stat.version);
        arming.add(arm);
        const node = await arm;
        arming.delete(arm);
        if (node === undefined) armed.delete(name);
        else await Promise.race([fired, over()]);
      }
    };
    const over = async (): Promise<void> => {
      while (!hasChangedLast) await sleep(50);
    };
    const read = async (process: number): Promise<void> => {
      while (!stage.isOver) {
        const key = stage.random.pick(keys);
        const get = () => clients[process].get(key);
        await stage.call({ process, name: 'read', key }, get, ({ data, stat }) => ({
          version: stat.version,
          value: textOf(data),
        }));
        await pace(stage, READ_PACE_MS);
      }
    };
    const watching = clients.flatMap((_, process) => keys.map((key) => () => watch(process, key)));
    // They end with the event of the last change, which comes after the others have ended.
    let watchers: Promise<unknown> = Promise.resolve();
    const startWatching = async (): Promise<void> => {
      watchers = Promise.all(watching.map((one) => one()));
      watchers.catch(() => {});
    };
    return {
      processes: [write, startWatching, ...clients.map((_, process) => () => read(process))],
      async finish(readers) {
        await Promise.all(arming);
        for (const key of keys) await readers[0].client.set(key, 'last');
        const deadlineMs = stage.nowMs + EVENT_MS;
        while (armed.size > 0 && stage.nowMs < deadlineMs) await sleep(20);
        for (const name of armed) stage.note({ process: WATCHERS, name: 'missed', key: name });
        hasChangedLast = true;
        await watchers;
      },
    };
  },

  check(operations) {
    const wrong = operations
      .filter(({ name }) => name === 'missed')
      .map(({ key }) => `the last change was never told to watcher ${key}`);
    for (const group of groupBy(operations, ({ process, key }) => `${process} ${key}`).values()) {
      wrong.push(...checkEvents(group));
    }
    return wrong;
  },
};

/** What one watcher asked and was told of one node. Watches have numbers, which rise. */
function checkEvents(operations: readonly Operation[]): string[] {
  const wrong: string[] = [];
  const events = new Map<unknown, Operation>();
  const armed = operations.filter(({ name, outcome }) => name === 'arm' && outcome === 'ok');
  for (const operation of operations) {
    if (operation.name !== 'event') continue;
    const other = events.get(operation.input);
    if (other !== undefined) wrong.push(`told twice: ${brief(other)} and ${brief(operation)}`);
    events.set(operation.input, operation);
  }
  for (const [i, arm] of armed.entries()) {
    const event = events.get(arm.input);
    const next = armed[i + 1];
    if (event !== undefined && next?.output === arm.output) {
      wrong.push(`told of a change that there was not: ${brief(event)}, between ${brief(arm)} and ${brief(next)}`);
    }
    const early = operations.find((read) => {
      if (read.name !== 'read' || read.outcome !== 'ok') return false;
      const isLater = (read.output as { version: number }).version > (arm.output as number);
      return isLater && read.startMs > arm.endMs && read.endMs < (event?.endMs ?? Number.POSITIVE_INFINITY);
    });
    if (early !== undefined) wrong.push(`seen before it was told: ${brief(early)}, watching since ${brief(arm)}`);
  }
  return wrong;
}
