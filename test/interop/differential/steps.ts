/**
 * What a differential test case is made of: steps, one after the other, each by one session. A step is over when all
 * its replies are there and every other connection has answered a ping, so that events have a place in the order.
 */
import type { Fields } from '../wire/jute.js';
import type { MultiPart, OperationName } from '../wire/operations.js';
import type { HandshakeOptions } from '../wire/raw-connection.js';

export interface Request {
  readonly op: OperationName;
  readonly fields: Fields;
  readonly parts?: readonly MultiPart[];
}

export type Step =
  /** Requests written in one piece; relativeZxid 'last' of a setWatches is the session's last zxid seen. */
  | { readonly kind: 'requests'; readonly session: number; readonly requests: readonly Request[] }
  /** The connection is cut and the session resumed on a new one. */
  | { readonly kind: 'resume'; readonly session: number }
  /** closeSession; the next step of this number starts a new session. */
  | { readonly kind: 'close'; readonly session: number }
  /** The server is killed and started again on its data, and all sessions are resumed. */
  | { readonly kind: 'restart' }
  /** A handshake on a connection of its own. */
  | { readonly kind: 'handshake'; readonly options: HandshakeOptions }
  /** A session of its own that sends these bytes behind the handshake. */
  | { readonly kind: 'bytes'; readonly what: string; readonly bytes: Uint8Array };

/** Stands for the last zxid that the session has seen, in relativeZxid. */
export const LAST_ZXID = 'last';

/** A step as one readable line. */
export function describeStep(step: Step): string {
  const shown = step.kind === 'bytes' ? { ...step, bytes: `hex:${Buffer.from(step.bytes).toString('hex')}` } : step;
  return JSON.stringify(shown, (_, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`;
    if (value instanceof Uint8Array) return `hex:${Buffer.from(value).toString('hex')}`;
    return value;
  });
}
