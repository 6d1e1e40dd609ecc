// Failures of TLS, in words that tell an operator what to do: OpenSSL's own name the function and the line in its source.

const SAME_EVERYWHERE = 'sslQuorum has to be the same on every server';

const NOT_TLS: ReadonlySet<string> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_HTTP_REQUEST',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_UNKNOWN_PROTOCOL',
]);
/** What Node calls the ways in which OpenSSL finds a chain of certificates bad. */
const UNTRUSTED = /^(?:CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_(?:CA|PURPOSE)$|PATH_LENGTH_)/;
/** How Node says that the other side closed before the handshake was done; the code is that of any lost connection. */
const CLOSED_EARLY = /before secure TLS connection was established/;
const SAID_BY_THEM = /\balert\b/;

/** Null for an error that does not come from TLS. */
export function tlsErrorText(error: Error): string | null {
  const { code = '', reason } = error as NodeJS.ErrnoException & { readonly reason?: unknown };
  if (NOT_TLS.has(code)) return `it does not speak TLS; ${SAME_EVERYWHERE}`;
  if (CLOSED_EARLY.test(error.message)) return `it closed the connection in the TLS handshake; ${SAME_EVERYWHERE}`;
  if (UNTRUSTED.test(code))
    return `its certificate is not trusted: ${error.message} (${code}); see ssl.quorum.trustStore`;
  if (typeof reason !== 'string' || !code.startsWith('ERR_SSL_')) return null;
  return SAID_BY_THEM.test(reason) ? `it refuses our TLS: ${reason}` : `TLS failed: ${reason}`;
}
