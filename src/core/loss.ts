// What a server that is alone could not store never happened. Everybody who waits for it is told so.

import { OpCode } from '../../protocol/client/constants.js';
import type { Batch } from '../../protocol/peer/entries.js';
import type { World } from './ops/operation.js';
import type { Clients } from './pipeline/clients.js';
import type { SessionExpiry } from './sessions/expiry.js';

interface Losers {
  readonly clients: Clients;
  readonly expiry: SessionExpiry;
  readonly world: World;
  readonly monotonicMs: number;
}

export function tellOfLoss(lost: readonly Batch[], losers: Losers): void {
  for (const { operations, sessions, cxids } of lost) {
    for (let i = 0; i < operations.length; i++) {
      // A session that was to be closed lives on, and expires later.
      if (operations[i] === OpCode.closeSession) revive(sessions[i], losers);
      losers.clients.lost(sessions[i], cxids[i], operations[i]);
    }
  }
}

function revive(session: number, { expiry, world, monotonicMs }: Losers): void {
  const alive = world.sessions.get(session);
  expiry.remove(session);
  if (alive !== undefined) expiry.track(session, monotonicMs, alive.timeoutMs);
}
