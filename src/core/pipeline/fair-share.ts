// Who may have how much of a limit that all clients share, once it is used up: the same for each address, and within an
// address the same for each session, counting those only whose requests wait at the moment. So neither one session with
// a deep pipeline nor one host with many sessions can keep the others out; what nobody else wants, anybody may have.

import type { Connection } from './connections.js';

interface Address {
  /** Connections of it with requests that wait. */
  waiting: number;
}

export class FairShare {
  private readonly byAddress = new Map<string, Address>();

  /** To be called whenever the connection's lane has become empty, or is not any more; parked requests do not wait. */
  update(connection: Connection): void {
    const { address, lane, parked } = connection;
    const waits = lane.length > parked;
    if (waits === connection.waits) return;
    connection.waits = waits;
    const known = this.byAddress.get(address);
    if (known === undefined) this.byAddress.set(address, { waiting: 1 });
    else {
      known.waiting += waits ? 1 : -1;
      if (known.waiting === 0) this.byAddress.delete(address);
    }
  }

  /** The part of any limit that falls to this connection, from 0 to 1. */
  of({ address }: Connection): number {
    const waiting = this.byAddress.get(address)?.waiting ?? 1;
    return 1 / (Math.max(1, this.byAddress.size) * waiting);
  }
}
