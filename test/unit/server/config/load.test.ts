import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, formatWarning, type LoadRequest, loadConfig } from '../../../../src/server/config/index.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'zabra-config-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

function file(text: string, name = 'zoo.cfg'): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

function load(text: string | undefined, more: Partial<LoadRequest> = {}) {
  const main = text === undefined ? undefined : file(`dataDir=${dir}\ntickTime=2000\n${text}`);
  return loadConfig({ file: main, env: {}, ...more });
}

const LIMITS = 'initLimit=10\nsyncLimit=5\nquorum.auth.secret=0123456789abcdef\n';
const THREE = `${LIMITS}clientPort=2181\nserver.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2;2183\n`;

describe('defaults', () => {
  test('without a file: loopback, 2181, ./data', () => {
    const { config, warnings } = loadConfig({ env: {} });
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      clientListen: { host: '127.0.0.1', port: 2181 },
      dataDir: './data',
      dataLogDir: './data',
      tickTimeMs: 2000,
      minSessionTimeoutMs: 4000,
      maxSessionTimeoutMs: 40_000,
      extendedTypesEnabled: true,
      juteMaxBuffer: 1_048_575,
      juteMaxBufferExtraSize: 1_048_575,
      maxClientCnxns: 60,
      fourLetterWords: ['ruok', 'srvr', 'mntr', 'conf', 'isro', 'stat'],
      adminServerAddress: '127.0.0.1',
      replicated: false,
      servers: [],
      serverId: 0,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('with a file that names no address, every address is listened on', () => {
    expect(load('clientPort=2182').config.clientListen).toEqual({ host: undefined, port: 2182 });
    expect(load('clientPort=2182\nclientPortAddress=127.0.0.1').config.clientListen?.host).toBe('127.0.0.1');
  });

  test('a file without any client port is warned about', () => {
    const { config, warnings } = load('');
    expect(config.clientListen).toBeUndefined();
    expect(warnings.map((warning) => warning.key)).toEqual(['clientPort']);
  });

  test('a file without dataDir is refused, one without tickTime told', () => {
    expect(() => loadConfig({ file: file('clientPort=1'), env: {} })).toThrow('dataDir: is not set');
    const { warnings } = loadConfig({ file: file(`dataDir=${dir}\nclientPort=1`), env: {} });
    expect(warnings.map((warning) => warning.key)).toEqual(['tickTime']);
  });

  test('a missing file is named', () => {
    expect(() => loadConfig({ file: join(dir, 'none.cfg'), env: {} })).toThrow(
      `there is no file ${join(dir, 'none.cfg')}`,
    );
  });
});

describe('sources', () => {
  test('flag > -D > SERVER_JVMFLAGS > file > default', () => {
    const text = 'clientPort=2181\nsnapCount=10\n';
    const snapCount = (more: Partial<LoadRequest>) => load(text, more).config.snapCount;
    const env = { SERVER_JVMFLAGS: '-Dzookeeper.snapCount=20' };
    expect(snapCount({})).toBe(10);
    expect(snapCount({ env })).toBe(20);
    expect(snapCount({ env, flags: { D: ['zookeeper.snapCount=30'] } })).toBe(30);
    expect(snapCount({ env, flags: { D: ['zookeeper.snapCount=30'], 'snap-count': 40 } })).toBe(40);
    expect(snapCount({ env, jvmFlags: '' })).toBe(10);
  });

  test('names work with and without their prefix, and as flags', () => {
    expect(load('clientPort=1\nzookeeper.extendedTypesEnabled=false').config.extendedTypesEnabled).toBe(false);
    expect(load('clientPort=1', { jvmFlags: '-Djute.maxbuffer=4194304' }).config.juteMaxBuffer).toBe(4_194_304);
    expect(load('clientPort=1', { flags: { forceSync: false } }).config.forceSync).toBe(false);
    expect(
      load('clientPort=1', { flags: { enforce: { auth: { enabled: true, schemes: ['digest', 'x509'] } } } }).config,
    ).toMatchObject({ enforceAuthEnabled: true, enforceAuthSchemes: ['digest', 'x509'] });
  });

  test('JVM flags that are not options are skipped with a note', () => {
    const { warnings } = load('clientPort=1', { jvmFlags: '-Xmx1g -Djava.awt.headless=true' });
    expect(warnings).toEqual([
      {
        severity: 'note',
        key: 'SERVER_JVMFLAGS',
        origin: undefined,
        text: 'meant for a JVM and skipped: -Xmx1g -Djava.awt.headless',
      },
    ]);
  });

  test('the later of two lines counts, with a warning', () => {
    const { config, warnings } = load('clientPort=1\nsnapCount=5\nsnapCount=6');
    expect(config.snapCount).toBe(6);
    expect(formatWarning(warnings[0]!)).toContain(`zoo.cfg:5: snapCount: given more than once`);
  });
});

describe('ensemble', () => {
  test('the own line gives the client port, myid the id', () => {
    file('3\n', 'myid');
    const { config } = load(THREE.replace('clientPort=2181\n', ''));
    expect(config).toMatchObject({
      serverId: 3,
      replicated: true,
      peerType: 'participant',
      clientListen: { host: undefined, port: 2183 },
      connectToLearnerMasterLimit: 10,
    });
    expect(config.servers.map((server) => server.id)).toEqual([1, 2, 3]);
  });

  test('the flag stands for the file myid', () => {
    expect(load(THREE, { flags: { 'server-id': 2 } }).config.serverId).toBe(2);
  });

  test.each([
    ['no myid', undefined, 'does not know which of the 3 it is'],
    ['not a number', 'one', "'one' in"],
    ['a stranger', '9', 'says 9, but the servers are 1, 2, 3'],
    ['another client port', '3', 'differs from the client address *:2183 in the line server.3'],
  ])('%s is refused', (_, id, problem) => {
    if (id !== undefined) file(id, 'myid');
    expect(() => load(THREE)).toThrow(ConfigError);
    expect(() => load(THREE)).toThrow(problem);
  });

  test('a single server is standalone unless asked otherwise', () => {
    file('1', 'myid');
    const standalone = load('server.1=a:1:2;127.0.0.1:2181').config;
    expect(standalone).toMatchObject({
      replicated: false,
      serverId: 0,
      clientListen: { host: '127.0.0.1', port: 2181 },
    });
    expect(load(`standaloneEnabled=false\n${LIMITS}server.1=a:1:2;2181`).config).toMatchObject({
      replicated: true,
      serverId: 1,
    });
  });

  test('the dynamic file counts when it is there', () => {
    file('2', 'myid');
    const dynamic = join(dir, 'zoo.cfg.dynamic');
    const text = `dynamicConfigFile=${dynamic}\n${THREE}`;
    expect(load(text).warnings.map((warning) => warning.key)).toEqual(['dynamicConfigFile']);
    file(
      'server.1=x:1:2\nserver.2=y:1:2:observer;2181\nserver.4=z:1:2\nserver.5=w:1:2\nversion=100000001\n',
      'zoo.cfg.dynamic',
    );
    expect(load(text).config).toMatchObject({ peerType: 'observer', serversVersion: 0x100000001n });
    file('snapCount=3', 'zoo.cfg.dynamic');
    expect(() => load(text)).toThrow(`${dynamic}:1: snapCount: does not belong`);
  });

  test('what cannot work is refused, what is unwise is told', () => {
    file('1', 'myid');
    expect(() => load('clientPort=1\nserver.1=a:1:2:observer')).toThrow('every server is an observer');
    expect(() => load('clientPort=1\nserver.1=a:1:2\nserver.2=a:2:3\nserver.3=b:1:2')).toThrow(
      'has a:2, as server.1 has',
    );
    const { warnings } = load(`clientPort=1\n${LIMITS}server.1=a:1:2\nserver.2=b:1:2`);
    expect(warnings.map((warning) => warning.text)).toEqual([
      'two voting servers tolerate no failure; three tolerate one',
    ]);
  });

  test.each(['initLimit', 'syncLimit'])('a file has to say %s', (name) => {
    file('1', 'myid');
    const without = THREE.replace(new RegExp(`${name}=.*\n`), '');
    expect(() => load(without)).toThrow(`${name}: is not set, and this server is part of an ensemble`);
    expect(load(without, { flags: { [name]: 7 } }).config[name as 'initLimit' | 'syncLimit']).toBe(7);
  });

  test('peerType gives way to the own server line, with a warning', () => {
    file('2', 'myid');
    const text = `peerType=participant\n${THREE.replace('b:1:2', 'b:1:2:observer')}`;
    const { config, warnings } = load(text);
    expect(config.peerType).toBe('observer');
    expect(warnings.map((warning) => warning.key)).toContain('peerType');
    expect(load(text.replace('peerType=participant', 'peerType=observer')).config.peerType).toBe('observer');
  });

  test('options of the links between servers take effect', () => {
    file('1', 'myid');
    const options = 'ensemble.name=blue\ncnxTimeout=700\nelectionPortBindRetry=0\ntcpKeepAlive=true\n';
    const { config, warnings } = load(`${options}quorumListenOnAllIPs=true\n${THREE}`);
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      ensembleName: 'blue',
      electionConnectTimeoutMs: 700,
      electionPortBindRetry: 0,
      peerTcpKeepAlive: true,
      quorumListenOnAllIPs: true,
    });
    expect(() => load(`ensemble.name=${'x'.repeat(101)}\n${THREE}`)).toThrow('has 101 characters, more than 100');
  });
});

describe('bad values', () => {
  test.each([
    ['tickTime=0', 'must be from 1'],
    ['clientPort=70000', 'must be from 0 to 65535'],
    ['snapCount=many', "must be a whole number, not 'many'"],
    ['extendedTypesEnabled=yes', "must be true or false, not 'yes'"],
    ['skipACL=true', "must be yes or no, not 'true'"],
    ['peerType=leader', 'must be one of participant, observer'],
    ['minSessionTimeout=50000', 'the shortest session timeout, 50000 ms, is above the longest, 40000 ms'],
    ['clientPortAddress=127.0.0.1', 'is set, but clientPort is not'],
    ['enforce.auth.enabled=true', 'no scheme is named'],
    ['fastleader.minNotificationInterval=70000', 'the first wait for votes is longer'],
  ])('%s', (text, problem) => {
    const attempt = () => load(text);
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(problem);
    expect(attempt).toThrow('zoo.cfg:3: ');
  });

  test('the error has its parts', () => {
    let caught: unknown;
    try {
      load('snapCount=many');
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({
      name: 'ConfigError',
      file: join(dir, 'zoo.cfg'),
      line: 3,
      key: 'snapCount',
      remedy: 'change or remove it (default 100000)',
    });
  });

  test.each([
    ['snapCont=5', 'not an option; did you mean snapCount?'],
    ['zookeeper.maxClientCnxn=5', 'not an option; did you mean maxClientCnxns?'],
    ['qqqqqqqqqq=5', 'not an option; it has no effect'],
    ['authProvider.1=org.example.Plugin', 'not supported: Java classes cannot be loaded'],
    ['observerMasterPort=2191', 'not supported: observers are served by the leader'],
    ['audit.impl.class=org.example.Logger', 'not supported: Java classes cannot be loaded; the audit log'],
    ['forceSync=no', 'is off: acknowledged writes can be lost'],
    ['preAllocSize=65536', 'no effect here: the log lives in the database'],
  ])('%s is told', (text, warning) => {
    const { warnings } = load(`clientPort=1\n${text}`);
    expect(warnings.map(formatWarning)).toEqual([expect.stringContaining(warning)]);
    expect(formatWarning(warnings[0]!)).toContain('zoo.cfg:4: ');
  });

  test('the HTTP ports take effect, and whether the admin port was named is known', () => {
    const provider = 'metricsProvider.className=PrometheusMetricsProvider\nmetricsProvider.httpPort=7001';
    const { config, warnings } = load(`clientPort=1\nadmin.serverPort=9141\nadmin.idleTimeout=5\n${provider}`);
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({ adminServerPort: 9141, adminPortGiven: true, metricsHttpPort: 7001 });
    expect(load('clientPort=1').config).toMatchObject({ adminServerPort: 9141, adminPortGiven: false });
  });

  test('an option that asks for nothing is passed over', () => {
    expect(load('clientPort=1\nelectionAlg=3\nportUnification=false').warnings).toEqual([]);
  });
});
