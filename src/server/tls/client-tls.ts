// The TLS of the ports for clients, from a configuration.

import { ConfigError, type ServerConfig } from '../config/index.js';
import type { Logger } from '../logging.js';
import type { ClientTlsOptions } from '../net/client-listener.js';
import { MaterialSource } from './material-source.js';
import { clientTlsSettings } from './settings.js';

/**
 * Undefined when the configuration asks for none. Whoever listens closes `source`. Throws ConfigError when key material is
 * missing or cannot be used.
 */
export function openClientTls(config: ServerConfig, logger: Logger): ClientTlsOptions | undefined {
  const { secureClientListen, clientListen, tlsPortUnification } = config;
  const onPlainPort = tlsPortUnification && clientListen !== undefined;
  if (secureClientListen === undefined && !onPlainPort) return undefined;
  if (config.tlsKeyStoreLocation === undefined) {
    throw new ConfigError({
      key: 'ssl.keyStore.location',
      problem: `is not set, and ${onPlainPort ? 'client.portUnification' : 'secureClientPort'} asks for TLS`,
      remedy: 'name a PEM or PKCS12 file with the private key and the certificate of this server',
    });
  }
  return {
    source: new MaterialSource(clientTlsSettings(config), logger, { reload: config.tlsReload }),
    superUser: config.x509SuperUser ?? null,
    checkAddress: config.tlsClientHostnameVerification,
    timeoutMs: config.sessionlessCnxnTimeoutMs,
    listen: secureClientListen,
    onPlainPort,
  };
}
