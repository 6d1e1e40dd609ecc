/**
 * Ephemeral nodes: one is there as long as its session, for its owner and for a reader that has asked for a sync, and all
 * are gone some time after their sessions are.
 *
 * A session may be lost when nobody could be reached for its timeout; then its node may go, and nothing is said.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation } from '../history.js';
import { brief, groupBy, pace, processNumbers, type Workload } from './workload.js';

const PROCESSES = 3;
const SESSION_TIMEOUT_MS = 3000;
const LOOKS = 6;
const PACE_MS = 80;
/** After which all sessions of this workload must have expired, on a busy machine as well. */
const EXPIRY_MS = 20_000;

export const ephemerals: Workload = {
  name: 'ephemerals',
  promise: 'a node is there while its session lives, and not for long after',

  async begin(stage) {
    const observer = await stage.connect();
    const run = async (process: number): Promise<void> => {
      for (let round = 0; !stage.isOver; round++) {
        const owner = await stage.connect({ sessionTimeoutMs: SESSION_TIMEOUT_MS }).catch(() => undefined);
        if (owner === undefined) continue;
        const key = `${stage.root}/${process}-${round}`;
        const session = () => String(owner.session.id);
        const made = await stage.call(
          { process, name: 'create', key },
          () => owner.create(key, null, { ephemeral: true }),
          session,
        );
        for (let look = 0; look < LOOKS && made !== undefined && !stage.isOver; look++) {
          await pace(stage, PACE_MS);
          await stage.call(
            { process, name: 'see', key },
            async () => {
              const synced = observer.sync(key);
              synced.catch(() => {});
              const stat = await observer.exists(key);
              await synced;
              return stat !== null;
            },
            (isThere) => isThere,
          );
          await stage.call(
            { process, name: 'own', key },
            () => owner.exists(key),
            (stat) => ({ session: session(), isThere: stat !== null }),
          );
        }
        await owner.close();
      }
    };
    return {
      processes: processNumbers(PROCESSES).map((process) => () => run(process)),
      async finish(readers) {
        const deadlineMs = stage.nowMs + EXPIRY_MS;
        for (const { server, client } of readers) {
          let left = await client.children(stage.root);
          while (left.length > 0 && stage.nowMs < deadlineMs) {
            await sleep(100);
            left = await client.children(stage.root);
          }
          stage.note({ process: PROCESSES + server, name: 'left', key: stage.root }, left);
        }
      },
    };
  },

  check(operations) {
    const wrong: string[] = [];
    for (const group of groupBy(operations, ({ key }) => key).values()) wrong.push(...checkLife(group));
    for (const operation of operations) {
      if (operation.name !== 'left' || (operation.output as string[]).length === 0) continue;
      wrong.push(`ephemeral nodes outlive their sessions: ${brief(operation)}`);
    }
    return wrong;
  },
};

/** The life of one node. */
function checkLife(operations: readonly Operation[]): string[] {
  const created = operations.find(({ name, outcome }) => name === 'create' && outcome === 'ok');
  if (created === undefined) return [];
  // The session is known to be alive until the last answer to its owner.
  const own = operations.filter(({ name, outcome, output }) => {
    return name === 'own' && outcome === 'ok' && (output as { session: string }).session === created.output;
  });
  const aliveUntilMs = own.reduce((ms, { startMs }) => Math.max(ms, startMs), created.startMs);
  for (const operation of own) {
    if (!(operation.output as { isThere: boolean }).isThere) {
      return [`a session does not see its own node: ${brief(operation)} after ${brief(created)}`];
    }
  }
  for (const operation of operations) {
    const isAbsent = operation.name === 'see' && operation.outcome === 'ok' && operation.output === false;
    if (isAbsent && operation.startMs > created.endMs && operation.endMs < aliveUntilMs) {
      return [`gone while its session lives: ${brief(operation)} after ${brief(created)}`];
    }
  }
  return [];
}
