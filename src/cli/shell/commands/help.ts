// Everything here comes from the commands' grammars. The table of commands is handed in, since it holds this one too.

import { type Command, defineCommand, optionalOperand } from '../command.js';
import { commandNamed } from '../lookup.js';
import type { Style } from '../output.js';

const USAGE_WIDTH = 40;

export function helpFor(commands: () => ReadonlyMap<string, Command>): Command {
  return defineCommand({
    name: 'help',
    summary: 'Lists all commands, or explains one.',
    flags: {},
    operands: { command: optionalOperand('the one to explain') },
    examples: ['help', 'help create'],
    async run({ style }, _, { command: name }) {
      if (name === undefined) {
        const all = [...commands().values()];
        const lines = all.map(({ usage, summary }) => listed(usage, style.dim(summary)));
        return { lines, json: all.map(({ usage, summary }) => ({ usage, summary })) };
      }
      const command = commandNamed(commands(), name);
      return { lines: explain(command, style), json: { usage: command.usage, summary: command.summary } };
    },
  });
}

/** A usage that does not fit into its column has its summary on the next line. */
function listed(usage: string, summary: string): string {
  return usage.length <= USAGE_WIDTH
    ? `${usage.padEnd(USAGE_WIDTH)}  ${summary}`
    : `${usage}\n${' '.repeat(USAGE_WIDTH)}  ${summary}`;
}

function explain({ usage, summary, flags, operands, examples }: Command, style: Style): string[] {
  const parts = [
    ...Object.entries(flags).map(([letter, { value, help }]) => [
      value === undefined ? `-${letter}` : `-${letter} ${value}`,
      help,
    ]),
    ...Object.entries(operands).map(([name, { help, optional }]) => [name, optional ? `${help} (optional)` : help]),
  ];
  const width = Math.max(0, ...parts.map(([name]) => name.length));
  return [
    style.bold(usage),
    summary,
    ...parts.map(([name, help]) => `  ${name.padEnd(width)}  ${help}`),
    style.dim('Examples:'),
    ...examples.map((example) => `  ${example}`),
  ];
}
