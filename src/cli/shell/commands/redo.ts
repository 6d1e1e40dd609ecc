import { defineCommand, operand } from '../command.js';
import { UsageError } from '../errors.js';

export const redo = defineCommand({
  name: 'redo',
  summary: 'Runs an earlier command again, by its number in history.',
  flags: {},
  operands: { number: operand('its number') },
  examples: ['redo 3'],
  async run({ history }, _, { number }) {
    const line = /^\d+$/.test(number) ? history[Number(number)] : undefined;
    if (line === undefined) throw new UsageError(`there is no command ${number}; history lists them`);
    if (/^redo\b/i.test(line)) throw new UsageError(`command ${number} is a redo itself`);
    return { lines: [], json: null, again: line };
  },
});
