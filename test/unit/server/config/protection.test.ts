/** No server is open to strangers by oversight, and none demands what nobody could show. */
import { ConfigError, loadConfig, requiredSchemes } from '../../../../src/server/config/index.js';

const REPLICATED = { initLimit: '10', syncLimit: '5', serverId: '1', clientPort: '2181' };

function load(options: Record<string, string>) {
  const { serverId, ...rest } = options;
  const D = Object.entries(rest).map(([key, value]) => `zookeeper.${key}=${value}`);
  return loadConfig({ flags: { D, ...(serverId === undefined ? {} : { serverId }) }, env: {} }).config;
}

/** Three servers, the first of them at `host`. */
function ensemble(host: string, options: Record<string, string> = {}) {
  const servers = { 'server.1': `${host}:2888:3888`, 'server.2': 'zoo2:2888:3888', 'server.3': 'zoo3:2888:3888' };
  return load({ ...REPLICATED, ...servers, ...options });
}

describe('servers among themselves', () => {
  test.each(['zoo1', '10.0.0.1', '0.0.0.0', '127.example.org', 'localhost.example.org', '[fd00::1]'])(
    'at %s they have to prove themselves, and the remedy is said',
    (host) => {
      expect(() => ensemble(host)).toThrow(ConfigError);
      expect(() => ensemble(host)).toThrow(
        /^server\.1: takes other servers at .*quorum\.auth\.secretPath=.*sslQuorum=true/,
      );
    },
  );

  test.each(['127.0.0.1', '127.0.1.7', 'localhost', '[::1]'])('at %s nobody else gets there', (host) => {
    expect(ensemble(host).replicated).toBe(true);
    expect(() => ensemble(host, { quorumListenOnAllIPs: 'true' })).toThrow('every address of this machine');
  });

  test('a secret or certificates on both sides are enough', () => {
    expect(ensemble('zoo1', { 'quorum.auth.secret': '0123456789abcdef' }).quorumSecretRequired).toBe(true);
    expect(ensemble('zoo1', { 'quorum.auth.secretPath': '/etc/peer-secret' }).replicated).toBe(true);
    expect(ensemble('zoo1', { sslQuorum: 'true' }).replicated).toBe(true);
  });

  test.each<[string, Record<string, string>]>([
    ['certificates of one side only', { sslQuorum: 'true', 'ssl.quorum.clientAuth': 'want' }],
    ['a secret that is not demanded, without one', { 'quorum.auth.required': 'false' }],
  ])('%s are not', (_what, options) => {
    expect(() => ensemble('zoo1', options)).toThrow('could pose as one');
  });

  test('a secret that can be guessed is refused without being shown, and so are two', () => {
    expect(() => ensemble('zoo1', { 'quorum.auth.secret': 'zookeeper' })).toThrow('holds 9 characters, fewer than 16');
    expect(() => ensemble('zoo1', { 'quorum.auth.secret': 'zookeeper' })).not.toThrow('zookeeper;');
    const both = { 'quorum.auth.secret': '0123456789abcdef', 'quorum.auth.secretPath': '/etc/peer-secret' };
    expect(() => ensemble('zoo1', both)).toThrow('keep one');
  });

  test('a server on its own has no such port', () => {
    expect(load({ 'server.1': 'zoo1:2888:3888', clientPort: '2181' }).replicated).toBe(false);
  });
});

describe('clients', () => {
  const users = { 'sasl.credentialsPath': '/etc/users' };

  test('which logins are demanded', () => {
    expect(requiredSchemes(load({}))).toBeNull();
    expect(requiredSchemes(load({ 'enforce.auth.schemes': 'digest' }))).toBeNull();
    expect(requiredSchemes(load({ 'enforce.auth.enabled': 'true', 'enforce.auth.schemes': 'digest, x509' }))).toEqual([
      'digest',
      'x509',
    ]);
    const sasl = {
      sessionRequireClientSASLAuth: 'true',
      'enforce.auth.enabled': 'true',
      'enforce.auth.schemes': 'digest',
    };
    expect(requiredSchemes(load({ ...users, ...sasl }))).toEqual(['sasl']);
  });

  test.each<[string, Record<string, string>]>([
    ['demands SASL, but there are no users', { sessionRequireClientSASLAuth: 'true' }],
    ['demands SASL, but there are no users', { 'enforce.auth.enabled': 'true', 'enforce.auth.schemes': 'sasl' }],
    ["has 'kerberos', which is no scheme", { 'enforce.auth.enabled': 'true', 'enforce.auth.schemes': 'sasl,kerberos' }],
    ['no scheme is named', { 'enforce.auth.enabled': 'true' }],
  ])('%s', (problem, options) => {
    expect(() => load(options)).toThrow(problem);
  });

  test('what ZooKeeper servers are told about SASL is understood', () => {
    const flags = [
      '-Djava.security.auth.login.config=/etc/zookeeper/jaas.conf',
      '-Dzookeeper.sasl.serverconfig=ZkServer',
      '-Dzookeeper.authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
      '-Dzookeeper.superUser=root,admin',
      '-Dzookeeper.allowSaslFailedClients=true',
      '-Dzookeeper.sessionRequireClientSASLAuth=true',
    ];
    const { config, warnings } = loadConfig({ jvmFlags: flags.join(' '), env: {} });
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      jaasConfigPath: '/etc/zookeeper/jaas.conf',
      jaasSection: 'ZkServer',
      saslSuperUsers: ['root', 'admin'],
      allowSaslFailedClients: true,
    });
    expect(requiredSchemes(config)).toEqual(['sasl']);
  });
});
