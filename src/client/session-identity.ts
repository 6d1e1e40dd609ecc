// Which session this is: its id and password, and how it came about, which decides what its loss means.

import { PASSWORD_BYTES } from '../../protocol/client/constants.js';
import type { ConnectResponse } from '../../protocol/client/packets.js';

const NO_PASSWORD = new Uint8Array(PASSWORD_BYTES);

export interface GivenSession {
  readonly id: bigint;
  readonly password: Uint8Array;
}

export class SessionIdentity {
  /** 0n while there is no session. */
  id: bigint;
  password: Uint8Array;
  /** Made up by a read-only server, so no other server knows it (E25). */
  #isLocal = false;
  /** Handed in by the user and not yet confirmed by a server: its loss is final. */
  #isUnconfirmed: boolean;
  /** The one before it was lost. */
  #isReplacement = false;

  constructor(given: GivenSession | undefined) {
    this.id = given?.id ?? 0n;
    this.password = given?.password ?? NO_PASSWORD;
    this.#isUnconfirmed = given !== undefined;
  }

  get isUnconfirmed(): boolean {
    return this.#isUnconfirmed;
  }

  /** What to ask a server for: this session, or a new one. */
  wanted(): { sessionId: bigint; password: Uint8Array } {
    if (this.#isLocal) return { sessionId: 0n, password: NO_PASSWORD };
    return { sessionId: this.id, password: this.password };
  }

  /** A server has confirmed the session or opened one. Returns whether it is another one than on the last connection. */
  granted(reply: ConnectResponse): boolean {
    const isOther = this.#isReplacement || this.#isLocal;
    this.id = reply.sessionId;
    this.password = reply.password ?? NO_PASSWORD;
    this.#isLocal = reply.readOnly === true;
    this.#isUnconfirmed = false;
    this.#isReplacement = false;
    return isOther;
  }

  lost(): void {
    this.id = 0n;
    this.password = NO_PASSWORD;
    this.#isLocal = false;
    this.#isReplacement = true;
  }
}
