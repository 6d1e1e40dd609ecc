/**
 * Checks that a read behind a sync shows everything that was answered to anybody before the sync was sent: its zxid is
 * not below that of any such answer (stronger than E70, see the design).
 *
 * Leaves out whether sync does more than that, and how long it takes.
 */
import type { Observation } from '../history.js';
import type { Run } from '../scenario.js';
import { check } from './check.js';

interface Awaited {
  readonly isSync: boolean;
  /** The greatest zxid in any answer, of anybody, when the request was sent. */
  readonly answeredZxid: number;
}

export function checkSync(run: Pick<Run, 'history'>): void {
  let answeredZxid = 0;
  const requests = new Map<number, Awaited[]>();
  const synced = new Map<number, number>();
  for (const observation of run.history) {
    const { connection } = observation;
    if (observation.kind === 'sent') {
      const awaited = { isSync: observation.operation === 'sync', answeredZxid };
      const queue = requests.get(connection);
      if (queue === undefined) requests.set(connection, [awaited]);
      else queue.push(awaited);
    } else if (isReply(observation)) {
      const { zxid, code, operation } = observation.item;
      const request = requests.get(connection)?.shift();
      const due = synced.get(connection) ?? 0;
      if (operation !== 'auth' && code !== REFUSED) {
        check(zxid >= due, 'a read behind a sync shows all that was answered before', () => ({ due, observation }));
      }
      if (request?.isSync === true && code === 0) synced.set(connection, Math.max(due, request.answeredZxid));
      answeredZxid = Math.max(answeredZxid, zxid);
    }
  }
}

/** SystemError: the request was not carried out. */
const REFUSED = -1;

type ReplyObservation = Extract<Observation, { kind: 'received' }> & { readonly item: { readonly kind: 'reply' } };

function isReply(observation: Observation): observation is ReplyObservation {
  return observation.kind === 'received' && observation.item.kind === 'reply';
}
