// What the mechanisms of SASL have in common: where users are found, and what is random in one login.

import type { Verifiers } from './verifiers.js';

export interface MechanismContext {
  /** Undefined for somebody unknown. */
  readonly findUser: (user: string) => Verifiers | undefined;
  /** Printable, without commas and quotes; used for this login only. */
  readonly nonce: string;
  /** 32 random bytes that last as long as the process. */
  readonly serverSecret: Buffer;
}
