// How a connection comes to its identities: an auth packet proves one at once (E12), a login by SASL takes several tokens.
// The proof itself is the server's business; what a client may pile up is limited here, because its identities go into
// the log with each of its batches.

import { AuthRequest, SaslRequest } from '../../../protocol/client/records.js';
import { ProtocolError } from '../../../protocol/errors.js';
import type { JuteReader } from '../../../protocol/jute/reader.js';
import type { Identity } from '../../../protocol/peer/entries.js';
import type { Authenticate, ReplicaOptions, SaslExchange } from '../io.js';
import { limits } from '../limits.js';
import type { Connection } from './connections.js';

/** All identities of a connection that has `known` ones already, or null when the packet is none or proves nothing. */
export function identitiesWith(
  known: readonly Identity[],
  packet: JuteReader,
  authenticate: Authenticate,
): readonly Identity[] | null {
  const request = isTooMuch(known, packet) ? null : decoded(() => AuthRequest.view(packet));
  if (request === null) return null;
  const { scheme, auth } = request;
  const gained = authenticate(scheme?.text() ?? '', auth?.toBytes() ?? new Uint8Array(0));
  return gained === null ? null : joined(known, gained);
}

/**
 * The answer to the next token of the connection's login, which changes its identities when it is the last; null when it
 * is refused. The first token begins a login, also after one that is done.
 */
export function saslAnswer(
  connection: Connection,
  packet: JuteReader,
  beginSasl: ReplicaOptions['beginSasl'],
): Uint8Array | null {
  if (beginSasl === undefined || isTooMuch(connection.identities, packet)) return null;
  const request = decoded(() => SaslRequest.view(packet));
  if (request === null) return null;
  const exchange: SaslExchange = connection.sasl ?? beginSasl();
  const step = exchange(request.token?.toBytes() ?? new Uint8Array(0));
  connection.sasl = step === null || step.identities !== null ? null : exchange;
  if (step === null) return null;
  if (step.identities !== null) connection.identities = joined(connection.identities, step.identities);
  return step.token;
}

function isTooMuch(known: readonly Identity[], packet: JuteReader): boolean {
  return known.length >= limits.identitiesMax || packet.remaining > limits.credentialBytesMax;
}

function joined(known: readonly Identity[], gained: readonly Identity[]): readonly Identity[] {
  const fresh = gained.filter(({ scheme, id }) => !known.some((one) => one.scheme === scheme && one.id === id));
  return fresh.length === 0 ? known : [...known, ...fresh];
}

function decoded<T>(view: () => T): T | null {
  try {
    return view();
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}
