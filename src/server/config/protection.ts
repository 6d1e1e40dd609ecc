// What has to be protected, and is: nobody can start a server that is open to strangers without having said so, nor one
// that lets nobody in.

import type { ServerSpec } from './ensemble.js';
import { ConfigError } from './errors.js';
import type { OptionKey, OptionValues } from './options.js';
import type { Setting } from './settings.js';

type Settings = ReadonlyMap<OptionKey, Setting>;

/** Schemes by which a client can be somebody. */
const SCHEMES: ReadonlySet<string> = new Set(['digest', 'ip', 'sasl', 'x509']);
const SECRET_LENGTH_MIN = 16;

function refuse(settings: Settings, option: OptionKey, key: string, problem: string, remedy: string): never {
  const setting = settings.get(option);
  throw new ConfigError({ origin: setting?.origin, key: setting?.key ?? key, problem, remedy });
}

/** The schemes of which a client has to pass one; null: none is demanded. */
export function requiredSchemes(
  values: Pick<OptionValues, 'requireSasl' | 'enforceAuthEnabled' | 'enforceAuthSchemes'>,
): readonly string[] | null {
  if (values.requireSasl) return ['sasl'];
  return values.enforceAuthEnabled ? values.enforceAuthSchemes : null;
}

/** A login that is demanded must be possible. */
export function checkClientAuth(values: OptionValues, settings: Settings): void {
  const schemes = requiredSchemes(values);
  if (schemes === null) return;
  if (schemes.length === 0) {
    const remedy = 'set enforce.auth.schemes, such as digest or x509';
    refuse(settings, 'enforceAuthEnabled', 'enforce.auth.enabled', 'is on, but no scheme is named', remedy);
  }
  const unknown = schemes.find((scheme) => !SCHEMES.has(scheme));
  if (unknown !== undefined) {
    const remedy = `name some of ${[...SCHEMES].join(', ')}`;
    refuse(settings, 'enforceAuthSchemes', 'enforce.auth.schemes', `has '${unknown}', which is no scheme`, remedy);
  }
  const hasUsers = values.saslCredentialsPath !== undefined || values.jaasConfigPath !== undefined;
  if (schemes.length === 1 && schemes[0] === 'sasl' && !hasUsers) {
    const option = values.requireSasl ? 'requireSasl' : 'enforceAuthSchemes';
    const remedy = 'name the file with the users in sasl.credentialsPath or java.security.auth.login.config';
    refuse(settings, option, 'enforce.auth.schemes', 'demands SASL, but there are no users', remedy);
  }
}

/**
 * Whoever reaches the port for servers, and is not asked who he is, can pose as a server: read everything, write anything.
 * So as soon as others than this machine reach it, servers have to prove themselves.
 */
export function checkPeerAuth(values: OptionValues, own: ServerSpec, settings: Settings): void {
  const { quorumSecret, quorumSecretPath } = values;
  if (quorumSecret !== undefined && quorumSecretPath !== undefined) {
    refuse(settings, 'quorumSecretPath', 'quorum.auth.secretPath', 'is set, and quorum.auth.secret too', 'keep one');
  }
  if (quorumSecret !== undefined) checkSecret(quorumSecret, 'quorum.auth.secret');
  const hasSecret = quorumSecret !== undefined || quorumSecretPath !== undefined;
  const hasCertificates = values.sslQuorum && values.quorumTlsClientAuth === 'need';
  if (hasSecret || hasCertificates) return;
  const beyond = values.quorumListenOnAllIPs
    ? 'every address of this machine (quorumListenOnAllIPs)'
    : own.addresses.map(({ host }) => host).find((host) => !isLoopback(host));
  if (beyond === undefined) return;
  throw new ConfigError({
    key: `server.${own.id}`,
    problem: `takes other servers at ${beyond}, where anybody who reaches the port could pose as one`,
    remedy:
      'give all servers the same secret: openssl rand -base64 32 > peer-secret; chmod 600 peer-secret; ' +
      'quorum.auth.secretPath=<that file>. Or let them show certificates: sslQuorum=true with ssl.quorum.keyStore and trustStore',
  });
}

/** Throws ConfigError when it is too short to withstand guessing. */
export function checkSecret(secret: string, key: string): void {
  if (secret.length >= SECRET_LENGTH_MIN) return;
  throw new ConfigError({
    key,
    problem: `holds ${secret.length} characters, fewer than ${SECRET_LENGTH_MIN}`,
    remedy: 'make a secret that nobody can guess: openssl rand -base64 32',
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
