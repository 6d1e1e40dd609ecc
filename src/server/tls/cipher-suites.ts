// Cipher suites by the names Java gives them, which are those of the standards, in OpenSSL's spelling:
// TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 is ECDHE-RSA-AES128-GCM-SHA256. OpenSSL's own names are taken too. The suites of
// TLS 1.3 are called the same by everybody.

import { getCiphers } from 'node:tls';

/** Those with forward secrecy and authenticated encryption, in OpenSSL's spelling, the dearest first. */
export const MODERN_SUITES: readonly string[] = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
];

const offered = new Set(getCiphers().map((name) => name.toUpperCase()));

/** In OpenSSL's spelling; undefined when this Node does not offer it. */
export function openSslName(suite: string): string | undefined {
  const name = suite.toUpperCase();
  const converted = name
    .replace(/^TLS_(?:RSA_WITH_)?/, '')
    .replace('_WITH_', '_')
    .replace(/AES_(128|256)_(?:CBC_)?/, 'AES$1_')
    .replace(/(CHACHA20_POLY1305)_SHA256$/, '$1')
    .replaceAll('_', '-');
  return [name, converted].find((candidate) => offered.has(candidate));
}
