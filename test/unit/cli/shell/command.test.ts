import {
  type Context,
  choiceFlag,
  defineCommand,
  flag,
  numberFlag,
  operand,
  optionalOperand,
} from '../../../../src/cli/shell/command.js';
import { COMMANDS } from '../../../../src/cli/shell/commands/index.js';
import { UsageError } from '../../../../src/cli/shell/errors.js';
import { commandNamed } from '../../../../src/cli/shell/lookup.js';

const probe = defineCommand({
  name: 'probe',
  summary: '',
  flags: { s: flag(''), w: flag(''), v: numberFlag('version', '', -1), word: choiceFlag('kind', ['a', 'b'], '') },
  operands: { path: operand(''), data: optionalOperand('') },
  examples: [],
  run: async (_, flags, operands) => ({ lines: [], json: { ...flags, ...operands } }),
});

const parse = async (...words: string[]) => (await probe.run({} as Context, words)).json;

test('usage as zkCli.sh writes it', () => {
  expect(probe.usage).toBe('probe [-s] [-w] [-v version] [-word kind] path [data]');
});

test('flags anywhere, joined, with values; -- ends them; negative numbers are none', async () => {
  expect(await parse('/a')).toEqual({ path: '/a' });
  expect(await parse('-s', '/a', 'x', '-w')).toEqual({ s: true, w: true, path: '/a', data: 'x' });
  expect(await parse('-swv', '3', '/a')).toEqual({ s: true, w: true, v: 3, path: '/a' });
  expect(await parse('/a', '-v', '-1', '-1')).toEqual({ v: -1, path: '/a', data: '-1' });
  expect(await parse('/a', '--', '-s')).toEqual({ path: '/a', data: '-s' });
  expect(await parse('/a', '-word', 'b')).toEqual({ path: '/a', word: 'b' });
  expect(await parse('/a', '-')).toEqual({ path: '/a', data: '-' });
});

test.each<[string[], string]>([
  [[], 'the path is missing'],
  [['-z', '/a'], 'there is no flag -z'],
  [['-constructor', '/a'], 'there is no flag -c'],
  [['/a', '-v'], '-v needs its version behind it'],
  [['-vs', '3', '/a'], '-v needs its version behind it'],
  [['-v', '1.5', '/a'], '-v: version is a whole number from -1 up, not 1.5'],
  [['-v', '-2', '/a'], '-v: version is a whole number from -1 up, not -2'],
  [['-word', 'c', '/a'], '-word: the kind is one of a, b, not c'],
  [['-v', '', '/a'], '-v: version is a whole number from -1 up, not '],
  [['/a', 'two', 'words'], 'there is one word too many: words (a text with blanks needs quotes)'],
])('%j is refused', (words, message) => {
  expect(() => probe.run({} as Context, words)).toThrow(new UsageError(message, probe.usage));
});

test('names of commands: any case, aliases, and the nearest for a misspelt one', () => {
  expect(commandNamed(COMMANDS, 'getacl').name).toBe('getAcl');
  expect(commandNamed(COMMANDS, 'h').name).toBe('help');
  expect(() => commandNamed(COMMANDS, 'craete')).toThrow(expect.objectContaining({ hint: 'create' }));
  expect(() => commandNamed(COMMANDS, 'frobnicate')).toThrow(expect.objectContaining({ hint: 'help' }));
  expect(() => commandNamed(COMMANDS, 'toString')).toThrow('Command not found: toString');
});

test('every command explains itself', () => {
  for (const [name, command] of COMMANDS) {
    expect(command.name).toBe(name);
    expect(command.summary).not.toBe('');
    expect(command.examples.length).toBeGreaterThan(0);
    for (const example of command.examples) expect(example.split(' ')[0]).toBe(name);
  }
});
