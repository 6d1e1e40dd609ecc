// What a configuration says about TLS, for one of the two places where it is spoken: `ssl.` with clients, `ssl.quorum.`
// between servers and, as in ZooKeeper, on the admin port. The options are the same behind either prefix.

import type { ServerConfig } from '../config/index.js';

export type StoreType = ServerConfig['tlsKeyStoreType'];
export type ClientAuth = ServerConfig['tlsClientAuth'];

/** A file with keys or certificates. */
export interface StoreSettings {
  /** Name of the options up to here, such as `ssl.keyStore`, for errors. */
  readonly option: string;
  readonly location: string | undefined;
  readonly password: string | undefined;
  /** A file that holds the password; counts before `password`. */
  readonly passwordPath: string | undefined;
  /** `auto`: by the suffix of the file, or else by its contents. */
  readonly type: StoreType;
}

export interface TlsSettings {
  /** `ssl` or `ssl.quorum`. */
  readonly prefix: string;
  readonly keyStore: StoreSettings;
  readonly trustStore: StoreSettings;
  readonly clientAuth: ClientAuth;
  readonly protocol: ServerConfig['tlsProtocol'];
  /** Empty: as `protocol` says. */
  readonly enabledProtocols: readonly string[];
  /** By Java's or OpenSSL's names, the dearest first; empty: MODERN_SUITES. */
  readonly cipherSuites: readonly string[];
}

/** For the port of clients. */
export function clientTlsSettings(config: ServerConfig): TlsSettings {
  return {
    prefix: 'ssl',
    keyStore: {
      option: 'ssl.keyStore',
      location: config.tlsKeyStoreLocation,
      password: config.tlsKeyStorePassword,
      passwordPath: config.tlsKeyStorePasswordPath,
      type: config.tlsKeyStoreType,
    },
    trustStore: {
      option: 'ssl.trustStore',
      location: config.tlsTrustStoreLocation,
      password: config.tlsTrustStorePassword,
      passwordPath: config.tlsTrustStorePasswordPath,
      type: config.tlsTrustStoreType,
    },
    clientAuth: config.tlsClientAuth,
    protocol: config.tlsProtocol,
    enabledProtocols: config.tlsEnabledProtocols,
    cipherSuites: config.tlsCipherSuites,
  };
}

/** For links between servers. */
export function quorumTlsSettings(config: ServerConfig): TlsSettings {
  return {
    prefix: 'ssl.quorum',
    keyStore: {
      option: 'ssl.quorum.keyStore',
      location: config.quorumTlsKeyStoreLocation,
      password: config.quorumTlsKeyStorePassword,
      passwordPath: config.quorumTlsKeyStorePasswordPath,
      type: config.quorumTlsKeyStoreType,
    },
    trustStore: {
      option: 'ssl.quorum.trustStore',
      location: config.quorumTlsTrustStoreLocation,
      password: config.quorumTlsTrustStorePassword,
      passwordPath: config.quorumTlsTrustStorePasswordPath,
      type: config.quorumTlsTrustStoreType,
    },
    clientAuth: config.quorumTlsClientAuth,
    protocol: config.quorumTlsProtocol,
    enabledProtocols: config.quorumTlsEnabledProtocols,
    cipherSuites: config.quorumTlsCipherSuites,
  };
}

/** For the admin port: the material between servers, or that for clients where there is no such. */
export function adminTlsSettings(config: ServerConfig): TlsSettings {
  const settings =
    config.quorumTlsKeyStoreLocation === undefined ? clientTlsSettings(config) : quorumTlsSettings(config);
  return { ...settings, clientAuth: config.adminNeedClientAuth ? 'need' : 'none' };
}
