/**
 * Configuration files and everything beside them that is read as text: zoo.cfg, the file with the servers, myid, and
 * SERVER_JVMFLAGS. They are understood, or refused with an error that names the line; nothing else happens, whatever the
 * keys are called.
 *
 * An input is text; its parts are set off by a line of dashes: zoo.cfg, dynamic file, myid, flags.
 */
import { ConfigError, explainConfig, formatWarning, redactedConfig } from '../../../src/server/config/index.js';
import { OPTIONS } from '../../../src/server/config/options.js';
import { resolveConfig } from '../../../src/server/config/resolve.js';
import { settingsOfFile, settingsOfJvmFlags } from '../../../src/server/config/settings.js';
import type { Random } from '../../../src/std/random.js';
import { Finding, type Subject, type Target } from '../target.js';

const SEPARATOR = '\n----\n';
const NAMES = Object.values(OPTIONS).flatMap(({ names }) => names);
const STRANGE_NAMES = ['__proto__', 'constructor', 'toString', 'server.__proto__', 'server.1', 'group.1', 'weight.1'];
const SERVERS = [
  '127.0.0.1:2888:3888',
  'a:1:2:observer;2181',
  '[::1]:2888:3888:participant;0.0.0.0:2181',
  'a:1:2|b:3:4',
  'a',
  ':::',
  ';;',
];
const VALUES = [
  '0',
  '-1',
  '1',
  '2000',
  '2147483648',
  '1e9',
  '0x10',
  'true',
  'FALSE',
  'yes',
  '*',
  '',
  ' ',
  ',',
  '\\',
  'a,b',
];

export const configuration: Target = {
  name: 'configuration',
  promise: 'a file is understood, or refused with an error that says where; no key reaches a prototype',
  lanes: 1,
  isInProcess: true,
  generate(random) {
    const file = Array.from({ length: random.int(12) }, () => line(random)).join(random.pick(['\n', '\r\n', '\r']));
    const dynamic = Array.from({ length: random.int(4) }, () => line(random)).join('\n');
    const flags = Array.from({ length: random.int(3) }, () => `-Dzookeeper.${line(random)}`).join(' ');
    return Buffer.from([file, dynamic, random.pick(['1', '2', 'x', '', '1\n']), flags].join(SEPARATOR), 'utf8');
  },
  start: async () => new Configuration(),
};

function line(random: Random): string {
  if (random.int(12) === 0) return random.pick(['# comment', '! comment', 'a', '=', ':', 'a\\', '\\u00e', 'a b c']);
  if (random.int(5) === 0) return `server.${random.int(4)}${random.pick(['=', ' = ', ':'])}${random.pick(SERVERS)}`;
  const name = random.int(6) === 0 ? random.pick(STRANGE_NAMES) : random.pick(NAMES);
  return `${name}${random.pick(['=', ' = ', ' ', ':'])}${random.pick(VALUES)}`;
}

class Configuration implements Subject {
  run(input: Uint8Array): void {
    const [file = '', dynamic = '', myid = '', flags = ''] = Buffer.from(input).toString('utf8').split(SEPARATOR);
    try {
      const { config, warnings } = resolveConfig({
        file: 'zoo.cfg',
        sources: [settingsOfFile(file, 'zoo.cfg'), settingsOfJvmFlags(flags).settings],
        serverId: undefined,
        readText: (path) => (path.endsWith('myid') ? myid : path.includes('dynamic') ? dynamic : undefined),
      });
      for (const warning of warnings) formatWarning(warning);
      redactedConfig(config);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (error.message === '') throw new Finding('an error without a word');
    }
    explainConfig(file);
    if (Object.keys(Object.prototype).length > 0) throw new Finding('a key has reached Object.prototype');
  }

  check(): void {}

  async stop(): Promise<void> {}
}
