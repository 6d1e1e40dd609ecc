// The first packet of a client and its answer, which have no header (E2). The answer repeats the optional readOnly byte
// exactly when the client sent it.

import { PASSWORD_BYTES } from '../../../protocol/client/constants.js';
import { ConnectRequestBody } from '../../../protocol/client/records.js';
import { ProtocolError } from '../../../protocol/errors.js';
import type { JuteReader } from '../../../protocol/jute/reader.js';
import type { Connection } from './connections.js';

export interface Greeting {
  readonly lastZxidSeen: number;
  readonly timeoutMs: number;
  /** 0: a new session is asked for. */
  readonly sessionId: number;
  readonly password: Uint8Array;
  readonly hasReadOnly: boolean;
}

/** The connect request, or null when the bytes are none. */
export function readGreeting(reader: JuteReader): Greeting | null {
  try {
    const { lastZxidSeen, timeoutMs, sessionId, password } = ConnectRequestBody.view(reader);
    const hasReadOnly = reader.remaining > 0;
    return { lastZxidSeen, timeoutMs, sessionId, password: password?.toBytes() ?? new Uint8Array(0), hasReadOnly };
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}

/** The session is ready. */
export function answerConnect(connection: Connection): void {
  writeAnswer(connection, connection.timeoutMs, connection.session, connection.password);
}

/** There is no such session: timeout 0, id 0, a password of zeros (E4). Never a fresh session instead. */
export function refuseConnect(connection: Connection): void {
  writeAnswer(connection, 0, 0, new Uint8Array(PASSWORD_BYTES));
}

function writeAnswer({ output, echoReadOnly }: Connection, timeoutMs: number, id: number, password: Uint8Array): void {
  const start = output.beginFrame();
  output.int(0);
  output.int(timeoutMs);
  output.longNumber(id);
  output.buffer(password);
  if (echoReadOnly) output.bool(false);
  output.endFrame(start);
}
