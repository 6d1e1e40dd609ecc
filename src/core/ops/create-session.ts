// createSession: the ensemble takes note of a session (E4, E18). The server that the client connected to has chosen the
// id, which is the entry's session, the timeout and the password. The answer is the handshake's, not this operation's.

import { OpCode, PASSWORD_BYTES } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { buffer, int, record, type View } from '../../../protocol/jute/schema.js';
import type { WriteOperation } from './operation.js';

/** `timeoutMs` as negotiated; `password` of 16 bytes. */
export const CreateSessionRequest = record({ timeoutMs: int, password: buffer });

export const createSession: WriteOperation<View<typeof CreateSessionRequest>> = {
  kind: 'write',
  name: 'createSession',
  code: OpCode.createSession,
  request: CreateSessionRequest,

  apply({ sessions }, { session }, { timeoutMs, password }) {
    if (password === null || password.length !== PASSWORD_BYTES || timeoutMs < 1) return Code.BadArguments;
    // A server that lost its leader may have asked twice.
    if (sessions.get(session) === undefined) sessions.add({ id: session, timeoutMs, password: password.toBytes() });
    return 0;
  },
};
