import {
  configurationLines,
  explainConfig,
  flagDescriptions,
  loadConfig,
  redactedConfig,
} from '../../../../src/server/config/index.js';
import type { Option } from '../../../../src/server/config/option.js';
import { findOption, flagName, INERT_OPTIONS, OPTIONS, type OptionKey } from '../../../../src/server/config/options.js';

const ALL: readonly [OptionKey, Option<unknown>][] = Object.entries(OPTIONS).map(([key, option]) => [
  key as OptionKey,
  option,
]);

describe('the table', () => {
  test('no name is used twice', () => {
    const names = [...ALL.flatMap(([, option]) => option.names), ...INERT_OPTIONS.map((option) => option.name)];
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test('flags are distinct and find their option', () => {
    const flags = flagDescriptions().map((description) => description.flag);
    expect(new Set(flags).size).toBe(flags.length);
    for (const [key, option] of ALL) {
      expect(findOption(flagName(option.names[0]!))).toMatchObject({ kind: 'option', key });
    }
  });

  test('every default can be written into a file', () => {
    for (const [key, option] of ALL) {
      const { defaultValue, kind } = option;
      if (defaultValue === undefined) continue;
      const text = kind === 'yes|no' ? (defaultValue === true ? 'yes' : 'no') : String(defaultValue);
      expect([key, option.read(text)]).toEqual([key, { value: defaultValue }]);
    }
  });

  test('what has no effect says why', () => {
    for (const [, option] of ALL) expect(option.status === 'supported').toBe(option.why === undefined);
    for (const option of INERT_OPTIONS) expect(option.why).not.toBe('');
  });
});

describe('explanation', () => {
  test('each line gets a verdict', () => {
    const text = [
      'tickTime=2000',
      '# comment',
      'preAllocSize=1',
      'observerMasterPort=2191',
      'electionAlg=3',
      'tikTime=1',
      'snapCount=x',
      'server.1=a:1:2',
      'server.2=a',
      'DigestAuthenticationProvider.superDigest=super:hash',
      'ssl.keystore.pasword=changeit',
      'superPaswort=changeit',
    ].join('\n');
    expect(explainConfig(text).map(({ line, value, verdict }) => [line, value, verdict])).toEqual([
      [1, '2000', 'supported'],
      [3, '1', 'accepted'],
      [4, '2191', 'unsupported'],
      [5, '3', 'accepted'],
      [6, '1', 'unknown'],
      [7, 'x', 'error'],
      [8, 'a:1:2', 'supported'],
      [9, 'a', 'error'],
      [10, '<hidden>', 'supported'],
      [11, '<hidden>', 'accepted'],
      [12, '<hidden>', 'unknown'],
    ]);
  });
});

describe('rendering', () => {
  test('secrets are hidden, the rest is text', () => {
    const flags = {
      D: ['zookeeper.DigestAuthenticationProvider.superDigest=super:hash', 'zookeeper.ssl.keyStore.password=pw'],
    };
    const shown = redactedConfig(loadConfig({ flags, env: {} }).config);
    expect(shown).toMatchObject({
      superDigest: '<hidden>',
      tlsKeyStorePassword: '<hidden>',
      snapCount: '100000',
      servers: '[]',
    });
    expect(JSON.stringify(shown)).not.toMatch(/super:hash|"pw"/);
  });

  test('standalone has no lines about an ensemble', () => {
    const { config } = loadConfig({ env: {} });
    const lines = configurationLines(config, { dataDirBytes: 1, dataLogDirBytes: 2 });
    expect(lines.slice(0, 6)).toEqual([
      'clientPort=2181',
      'secureClientPort=-1',
      'dataDir=./data',
      'dataDirSize=1',
      'dataLogDir=./data',
      'dataLogSize=2',
    ]);
    expect(lines.at(-1)).toBe('serverId=0');
  });
});
