// An auth packet adds to what a connection has proven about itself (E12). The proof itself is the server's business; what
// a client may pile up is limited here, because its identities go into the log with each of its batches.

import { AuthRequest } from '../../../protocol/client/records.js';
import { ProtocolError } from '../../../protocol/errors.js';
import type { JuteReader } from '../../../protocol/jute/reader.js';
import type { Identity } from '../../../protocol/peer/entries.js';
import type { Authenticate } from '../io.js';
import { limits } from '../limits.js';

/** All identities of a connection that has `known` ones already, or null when the packet is none or proves nothing. */
export function identitiesWith(
  known: readonly Identity[],
  packet: JuteReader,
  authenticate: Authenticate,
): readonly Identity[] | null {
  if (known.length >= limits.identitiesMax || packet.remaining > limits.credentialBytesMax) return null;
  const gained = prove(packet, authenticate);
  if (gained === null) return null;
  const fresh = gained.filter(({ scheme, id }) => !known.some((one) => one.scheme === scheme && one.id === id));
  return fresh.length === 0 ? known : [...known, ...fresh];
}

function prove(packet: JuteReader, authenticate: Authenticate): readonly Identity[] | null {
  try {
    const { scheme, auth } = AuthRequest.view(packet);
    return authenticate(scheme?.text() ?? '', auth?.toBytes() ?? new Uint8Array(0));
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}
