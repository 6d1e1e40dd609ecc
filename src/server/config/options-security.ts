// Options of authentication and TLS (reference B7). `ssl.` is for clients, `ssl.quorum.` between servers; both have the
// same names behind the prefix.

import { accepted, type InertOption, list, oneOf, text, trueFalse, unsupported } from './option.js';

const STORE_TYPES = ['auto', 'PEM', 'PKCS12', 'JKS', 'BCFKS'] as const;
const STORE_TYPE_HELP = 'PEM or PKCS12; auto: by the suffix, or else the contents, of the file.';
const TLS_PROTOCOLS = ['TLS', 'TLSv1.2', 'TLSv1.3'] as const;

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
  x509SuperUser: text(
    'X509AuthenticationProvider.superUser',
    undefined,
    'Whose certificate makes a superuser, such as CN=admin,O=Example.',
  ),
  ensembleAuthNames: list('ensembleAuthName', [], 'Names of this ensemble that a client may ask for.'),
  saslCredentialsPath: text(
    'sasl.credentialsPath',
    undefined,
    'File with a line for each user who may log in by SASL; zabra credential makes one.',
  ),
  jaasConfigPath: text(
    'java.security.auth.login.config',
    undefined,
    'JAAS file with users who may log in by SASL, as user_<name>="<password>".',
  ),
  jaasSection: text('sasl.serverconfig', 'Server', 'The section of the JAAS file that counts.'),
  saslSuperUsers: list('superUser', [], 'Users of SASL who are superusers.'),
  allowSaslFailedClients: trueFalse(
    'allowSaslFailedClients',
    false,
    'Who fails to log in by SASL may stay, without the identity.',
  ),
  requireSasl: trueFalse('sessionRequireClientSASLAuth', false, 'As enforce.auth.enabled with the scheme sasl.'),
  enforceAuthEnabled: trueFalse('enforce.auth.enabled', false, 'A session must log in by one of the schemes.'),
  enforceAuthSchemes: list('enforce.auth.schemes', [], 'Schemes that count as logging in.'),
  tlsKeyStoreLocation: text('ssl.keyStore.location', undefined, 'Key and certificate of the TLS port: PEM or PKCS12.'),
  tlsKeyStorePassword: text('ssl.keyStore.password', undefined, 'Its password.', { secret: true }),
  tlsKeyStorePasswordPath: text('ssl.keyStore.passwordPath', undefined, 'File with its password.'),
  tlsKeyStoreType: oneOf('ssl.keyStore.type', STORE_TYPES, 'auto', STORE_TYPE_HELP),
  tlsTrustStoreLocation: text('ssl.trustStore.location', undefined, 'Authorities of clients: PEM or PKCS12.'),
  tlsTrustStorePassword: text('ssl.trustStore.password', undefined, 'Its password.', { secret: true }),
  tlsTrustStorePasswordPath: text('ssl.trustStore.passwordPath', undefined, 'File with its password.'),
  tlsTrustStoreType: oneOf('ssl.trustStore.type', STORE_TYPES, 'auto', STORE_TYPE_HELP),
  tlsClientAuth: oneOf('ssl.clientAuth', ['none', 'want', 'need'], 'need', 'Certificate asked of clients.'),
  tlsClientHostnameVerification: trueFalse(
    'ssl.clientHostnameVerification',
    false,
    'The certificate of a client has to name its IP address; names are not looked up.',
  ),
  tlsProtocol: oneOf('ssl.protocol', TLS_PROTOCOLS, 'TLS', 'Version of TLS for clients; TLS: 1.2 and 1.3.'),
  tlsEnabledProtocols: list('ssl.enabledProtocols', [], 'Versions of TLS for clients; empty: as ssl.protocol says.'),
  tlsCipherSuites: list(
    'ssl.ciphersuites',
    [],
    'Cipher suites for clients; empty: those with forward secrecy and authenticated encryption.',
  ),
  tlsReload: trueFalse(
    'client.certReload',
    true,
    'Files of keys and certificates are read again when they change (ZooKeeper: false).',
  ),
  tlsPortUnification: trueFalse('client.portUnification', false, 'clientPort takes TLS as well.'),
  quorumTlsKeyStoreLocation: text(
    'ssl.quorum.keyStore.location',
    undefined,
    'Key and certificate for other servers, and for the admin port: PEM or PKCS12.',
  ),
  quorumTlsKeyStorePassword: text('ssl.quorum.keyStore.password', undefined, 'Its password.', { secret: true }),
  quorumTlsKeyStorePasswordPath: text('ssl.quorum.keyStore.passwordPath', undefined, 'File with its password.'),
  quorumTlsKeyStoreType: oneOf('ssl.quorum.keyStore.type', STORE_TYPES, 'auto', STORE_TYPE_HELP),
  quorumTlsTrustStoreLocation: text(
    'ssl.quorum.trustStore.location',
    undefined,
    'Authorities of other servers, and of those who use the admin port: PEM or PKCS12.',
  ),
  quorumTlsTrustStorePassword: text('ssl.quorum.trustStore.password', undefined, 'Its password.', { secret: true }),
  quorumTlsTrustStorePasswordPath: text('ssl.quorum.trustStore.passwordPath', undefined, 'File with its password.'),
  quorumTlsTrustStoreType: oneOf('ssl.quorum.trustStore.type', STORE_TYPES, 'auto', STORE_TYPE_HELP),
  quorumTlsClientAuth: oneOf(
    'ssl.quorum.clientAuth',
    ['none', 'want', 'need'],
    'need',
    'Certificate asked of servers that connect; one that is connected to always shows its own.',
  ),
  quorumTlsHostnameVerification: trueFalse(
    'ssl.quorum.hostnameVerification',
    true,
    'The certificate of a server has to name the host in its server line.',
  ),
  quorumTlsClientHostnameVerification: trueFalse(
    'ssl.quorum.clientHostnameVerification',
    true,
    'Also that of a server that connects; only with ssl.quorum.hostnameVerification. Addresses are not looked up.',
  ),
  quorumTlsProtocol: oneOf('ssl.quorum.protocol', TLS_PROTOCOLS, 'TLS', 'Version of TLS there; TLS: 1.2 and 1.3.'),
  quorumTlsEnabledProtocols: list(
    'ssl.quorum.enabledProtocols',
    [],
    'Versions of TLS there; empty: as ssl.quorum.protocol says.',
  ),
  quorumTlsCipherSuites: list('ssl.quorum.ciphersuites', [], 'Cipher suites there; empty: as for clients.'),
} as const;

export const SECURITY_INERT: readonly InertOption[] = [
  accepted('ssl.hostnameVerification', 'it is for those who connect; of clients see ssl.clientHostnameVerification'),
  unsupported('ssl.crl', 'revocation is not looked up; use short-lived certificates', ['false']),
  unsupported('ssl.ocsp', 'revocation is not looked up; use short-lived certificates', ['false']),
  unsupported('ssl.quorum.crl', 'revocation is not looked up; use short-lived certificates', ['false']),
  unsupported('ssl.quorum.ocsp', 'revocation is not looked up; use short-lived certificates', ['false']),
  accepted('ssl.*', NO_FACTORY),
  accepted('fips-mode', 'that is an option of Node itself: node --enable-fips'),
  accepted('IPAuthenticationProvider.usexforwardedfor', 'the address of the connection counts'),
  unsupported('authProvider.*', 'Java classes cannot be loaded; digest, ip, x509, sasl and world are built in', [
    'org.apache.zookeeper.server.auth.DigestAuthenticationProvider',
    'org.apache.zookeeper.server.auth.IPAuthenticationProvider',
    'org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
    'org.apache.zookeeper.server.auth.X509AuthenticationProvider',
  ]),
  unsupported('ssl.authProvider', 'Java classes cannot be loaded; certificates are read by the scheme x509', ['x509']),
  unsupported('kerberos.*', NO_KERBEROS, ['false']),
  unsupported('sasl.*', NO_KERBEROS, ['false']),
  accepted('jaasLoginRenew', NO_KERBEROS),
  unsupported(
    'requireClientAuthScheme',
    'ZooKeeper does not look at it either; to demand a login set sessionRequireClientSASLAuth=true or enforce.auth.enabled',
  ),
  unsupported(
    'SASLAuthenticationProvider.superPassword',
    'give the superuser a line of his own and name him in superUser',
  ),
  unsupported('superUser.*', 'name all of them in superUser, with commas between'),
];
