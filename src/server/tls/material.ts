// From the options of TLS to what Node's TLS is given. One loader for every place where TLS is spoken: clients, links
// between servers, the admin port. All of it is checked here, at the start, so that a bad file is told by its name and
// not by a handshake that fails in the night.
//
//   settings ─ key-store.ts ─▶ keys, certificates ─▶ key + its chain, CAs, versions, suites = TlsMaterial

import type { KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ConfigError } from '../config/index.js';
import { MODERN_SUITES, openSslName } from './cipher-suites.js';
import { readKeyStore } from './key-store.js';
import type { ClientAuth, TlsSettings } from './settings.js';

/** Key, certificates and rules in the shape tls.createServer, setSecureContext and tls.connect take. */
export interface TlsMaterial extends SecureContextOptions {
  readonly key: string;
  readonly cert: string;
  /** Undefined where nobody's certificate is checked. */
  readonly ca?: string[];
}

export interface LoadedMaterial {
  readonly material: TlsMaterial;
  /** The certificate that is shown to others. */
  readonly certificate: X509Certificate;
}

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

/**
 * Reads everything. `checksPeers`: certificates of others will be checked, so there have to be some to trust; without
 * a trust store Node would take any of the world's public authorities.
 * Throws ConfigError by the name of the option and the file.
 */
export function loadMaterial(settings: TlsSettings, checksPeers = settings.clientAuth !== 'none'): LoadedMaterial {
  const { keyStore, trustStore, prefix } = settings;
  const { key, chain } = keyAndChain(settings);
  const ca = checksPeers ? trusted(settings) : undefined;
  const material: TlsMaterial = {
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: chain.map(pem).join(''),
    ...(ca === undefined ? {} : { ca: ca.map(pem) }),
    ...versions(settings),
    ciphers: cipherList(settings),
    honorCipherOrder: true,
  };
  try {
    createSecureContext(material);
  } catch (error) {
    throw new ConfigError({
      key: `${prefix}.*`,
      problem: `${keyStore.location} and ${trustStore.location ?? 'no trust store'} cannot be used: ${(error as Error).message}`,
      remedy: 'check the key, the certificates and the cipher suites',
    });
  }
  return { material, certificate: chain[0]! };
}

/** What a server adds to the material: whether it asks for a certificate, and turns away those without a good one. */
export function certificateRequest(clientAuth: ClientAuth): { requestCert: boolean; rejectUnauthorized: boolean } {
  return { requestCert: clientAuth !== 'none', rejectUnauthorized: clientAuth === 'need' };
}

/** The first key, its certificate, and behind it the others of the store: the authorities in between. */
function keyAndChain({ keyStore }: TlsSettings): { key: KeyObject; chain: X509Certificate[] } {
  const { keys, certificates } = readKeyStore(keyStore);
  const option = `${keyStore.option}.location`;
  const [key] = keys;
  if (key === undefined) {
    const remedy = 'a PEM file has the private key and the certificate, one after the other';
    throw new ConfigError({ key: option, problem: `${keyStore.location} holds no private key`, remedy });
  }
  const own = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (own === undefined) {
    throw new ConfigError({
      key: option,
      problem: `${keyStore.location} holds no certificate that belongs to its private key`,
      remedy: 'put the certificate into the same file, followed by those of the authorities in between',
    });
  }
  return { key, chain: [own, ...certificates.filter((certificate) => certificate !== own)] };
}

function trusted({ trustStore, prefix }: TlsSettings): readonly X509Certificate[] {
  const key = `${trustStore.option}.location`;
  if (trustStore.location === undefined) {
    throw new ConfigError({
      key,
      problem: 'is not set, and certificates are to be checked',
      remedy: `name a file with the authorities to trust${prefix === 'ssl' ? ', or set ssl.clientAuth=none' : ''}`,
    });
  }
  const { certificates } = readKeyStore(trustStore);
  if (certificates.length > 0) return certificates;
  const remedy = 'put the certificates of the authorities to trust into it';
  throw new ConfigError({ key, problem: `${trustStore.location} holds no certificate`, remedy });
}

function pem(certificate: X509Certificate): string {
  return certificate.toString();
}

/** Versions of TLS are a range in OpenSSL; there are two of them, so no range has a hole. */
function versions({ prefix, protocol, enabledProtocols }: TlsSettings) {
  const named = enabledProtocols.length > 0 ? enabledProtocols : protocol === 'TLS' ? VERSIONS : [protocol];
  const offered = VERSIONS.filter((version) => named.some((name) => name.toLowerCase() === version.toLowerCase()));
  const minVersion = offered[0];
  const maxVersion = offered.at(-1);
  if (minVersion === undefined || maxVersion === undefined) {
    throw new ConfigError({
      key: `${prefix}.enabledProtocols`,
      problem: `has none of the versions that are offered: ${named.join(', ')}`,
      remedy: 'set TLSv1.3, TLSv1.2 or both; older ones are broken',
    });
  }
  return { minVersion, maxVersion };
}

function cipherList({ prefix, cipherSuites }: TlsSettings): string {
  if (cipherSuites.length === 0) return MODERN_SUITES.join(':');
  return cipherSuites
    .map((suite) => {
      const name = openSslName(suite);
      if (name !== undefined) return name;
      throw new ConfigError({
        key: `${prefix}.ciphersuites`,
        problem: `'${suite}' is not offered by OpenSSL here`,
        remedy: 'remove it, or remove the option for those that are good today',
      });
    })
    .join(':');
}
