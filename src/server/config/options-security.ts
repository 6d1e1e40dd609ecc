// Options of authentication and TLS (reference B7). `ssl.` is for clients, `ssl.quorum.` between servers; both have the
// same names behind the prefix.

import { accepted, type InertOption, list, oneOf, text, trueFalse, unsupported } from './option.js';

const NO_TLS = 'TLS is not built yet; put a TLS proxy in front of the client port';
const ALONE = 'it concerns an ensemble, and this is a server on its own';

const NO_KERBEROS = 'there is no Kerberos; use digest or certificates';
const NO_FACTORY = 'the TLS of Node is used';

export const SECURITY_OPTIONS = {
  superDigest: text('DigestAuthenticationProvider.superDigest', undefined, 'user:hash of the superuser.', {
    secret: true,
  }),
  digestAuthEnabled: trueFalse('DigestAuthenticationProvider.enabled', true, 'Scheme digest is offered.'),
  digestAlg: oneOf(
    'DigestAuthenticationProvider.digestAlg',
    ['SHA1', 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512', 'SHA3-224', 'SHA3-256', 'SHA3-384', 'SHA3-512'],
    'SHA1',
    'Hash of the scheme digest.',
  ),
  x509SuperUser: text('X509AuthenticationProvider.superUser', undefined, 'Distinguished name of the superuser.', {
    notBuilt: NO_TLS,
  }),
  ensembleAuthNames: list('ensembleAuthName', [], 'Names of this ensemble that a client may ask for.', {
    notBuilt: 'the scheme ensemble is not offered yet',
  }),
  enforceAuthEnabled: trueFalse('enforce.auth.enabled', false, 'A session must log in by one of the schemes.'),
  enforceAuthSchemes: list('enforce.auth.schemes', [], 'Schemes that count as logging in.'),
  tlsKeyStoreLocation: text('ssl.keyStore.location', undefined, 'Key and certificate, PEM or PKCS12.', {
    notBuilt: NO_TLS,
  }),
  tlsKeyStorePassword: text('ssl.keyStore.password', undefined, 'Its password.', { secret: true, notBuilt: NO_TLS }),
  tlsKeyStorePasswordPath: text('ssl.keyStore.passwordPath', undefined, 'File with its password.', {
    notBuilt: NO_TLS,
  }),
  tlsTrustStoreLocation: text('ssl.trustStore.location', undefined, 'Certificates to trust, PEM or PKCS12.', {
    notBuilt: NO_TLS,
  }),
  tlsTrustStorePassword: text('ssl.trustStore.password', undefined, 'Its password.', {
    secret: true,
    notBuilt: NO_TLS,
  }),
  tlsTrustStorePasswordPath: text('ssl.trustStore.passwordPath', undefined, 'File with its password.', {
    notBuilt: NO_TLS,
  }),
  tlsClientAuth: oneOf('ssl.clientAuth', ['none', 'want', 'need'], 'need', 'Certificate asked of clients.', {
    notBuilt: NO_TLS,
  }),
  tlsEnabledProtocols: list('ssl.enabledProtocols', ['TLSv1.2', 'TLSv1.3'], 'Versions of TLS for clients.', {
    also: ['ssl.protocol'],
    notBuilt: NO_TLS,
  }),
  tlsCipherSuites: list('ssl.ciphersuites', [], 'Cipher suites for clients; empty: those of Node.', {
    notBuilt: NO_TLS,
  }),
  quorumTlsKeyStoreLocation: text('ssl.quorum.keyStore.location', undefined, 'Key and certificate between servers.', {
    accepted: ALONE,
  }),
  quorumTlsKeyStorePassword: text('ssl.quorum.keyStore.password', undefined, 'Its password.', {
    secret: true,
    accepted: ALONE,
  }),
  quorumTlsKeyStorePasswordPath: text('ssl.quorum.keyStore.passwordPath', undefined, 'File with its password.', {
    accepted: ALONE,
  }),
  quorumTlsTrustStoreLocation: text('ssl.quorum.trustStore.location', undefined, 'Certificates of the peers.', {
    accepted: ALONE,
  }),
  quorumTlsTrustStorePassword: text('ssl.quorum.trustStore.password', undefined, 'Its password.', {
    secret: true,
    accepted: ALONE,
  }),
  quorumTlsTrustStorePasswordPath: text('ssl.quorum.trustStore.passwordPath', undefined, 'File with its password.', {
    accepted: ALONE,
  }),
  quorumTlsHostnameVerification: trueFalse('ssl.quorum.hostnameVerification', true, 'Check the names of peers.', {
    accepted: ALONE,
  }),
} as const;

const KEY_STORE_TYPE = 'PEM and PKCS12 are told apart by their contents; convert a JKS by keytool -importkeystore';

export const SECURITY_INERT: readonly InertOption[] = [
  unsupported('ssl.keyStore.type', KEY_STORE_TYPE, ['PEM', 'PKCS12']),
  unsupported('ssl.trustStore.type', KEY_STORE_TYPE, ['PEM', 'PKCS12']),
  unsupported('ssl.quorum.keyStore.type', KEY_STORE_TYPE, ['PEM', 'PKCS12']),
  unsupported('ssl.quorum.trustStore.type', KEY_STORE_TYPE, ['PEM', 'PKCS12']),
  accepted(
    'ssl.hostnameVerification',
    'the name of a client is not checked against its certificate, as is the default',
  ),
  unsupported('ssl.clientHostnameVerification', 'the name of a client is not checked', ['false']),
  accepted('ssl.quorum.clientHostnameVerification', 'see ssl.quorum.hostnameVerification'),
  accepted('ssl.quorum.clientAuth', 'between servers a certificate is always needed'),
  accepted('ssl.quorum.protocol', 'TLS 1.2 and 1.3 are spoken between servers'),
  accepted('ssl.quorum.enabledProtocols', 'TLS 1.2 and 1.3 are spoken between servers'),
  unsupported('ssl.quorum.ciphersuites', 'between servers the cipher suites of Node are used'),
  unsupported('ssl.crl', 'revocation is not looked up; use short-lived certificates', ['false']),
  unsupported('ssl.ocsp', 'revocation is not looked up; use short-lived certificates', ['false']),
  unsupported('ssl.quorum.crl', 'revocation is not looked up; use short-lived certificates', ['false']),
  unsupported('ssl.quorum.ocsp', 'revocation is not looked up; use short-lived certificates', ['false']),
  accepted('ssl.*', NO_FACTORY),
  accepted('client.certReload', 'certificates are read again whenever their files change'),
  unsupported('client.portUnification', 'a client port is either TLS or plain; see secureClientPort', ['false']),
  accepted('fips-mode', 'that is an option of Node itself: node --enable-fips'),
  accepted('IPAuthenticationProvider.usexforwardedfor', 'the address of the connection counts'),
  unsupported('authProvider.*', 'Java classes cannot be loaded; digest, ip, x509 and world are built in'),
  unsupported('ssl.authProvider', 'Java classes cannot be loaded; certificates are read by the scheme x509', ['x509']),
  unsupported('sessionRequireClientSASLAuth', 'there is no SASL; see enforce.auth.schemes', ['false']),
  unsupported('allowSaslFailedClients', 'there is no SASL; see enforce.auth.enabled', ['false']),
  unsupported('kerberos.*', NO_KERBEROS, ['false']),
  unsupported('sasl.*', NO_KERBEROS, ['false']),
  unsupported('superUser*', 'there is no SASL; see X509AuthenticationProvider.superUser and superDigest'),
];
