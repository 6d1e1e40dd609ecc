// The scheme `ensemble`: a client names the ensemble it means to reach, and one that has come to another by mistake is
// turned away before it changes anything there (E45). It proves nothing about the client, who gains no identity by it.

import type { Identity } from '../../protocol/peer/entries.js';

export class EnsembleAuth {
  /** Clients that named this ensemble, another one, or none: ZooKeeper's metrics ensemble_auth_success, _fail, _skip. */
  successes = 0;
  failures = 0;
  skips = 0;
  private readonly names: readonly string[];

  /** `names`: those this ensemble goes by (ensembleAuthName); with none the scheme is not offered. */
  constructor(names: readonly string[]) {
    this.names = names;
  }

  /** The identities gained, which are none; null: the client is refused, and its connection ends (E12). */
  check(credentials: Uint8Array): readonly Identity[] | null {
    if (this.names.length === 0) return null;
    if (credentials.length === 0) {
      this.skips++;
      return [];
    }
    if (!this.names.includes(Buffer.from(credentials).toString('utf8'))) {
      this.failures++;
      return null;
    }
    this.successes++;
    return [];
  }
}
