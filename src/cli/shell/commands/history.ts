import { defineCommand } from '../command.js';

const LINES_MAX = 10;

export const history = defineCommand({
  name: 'history',
  summary: `Shows the last ${LINES_MAX + 1} commands with their numbers.`,
  flags: {},
  operands: {},
  examples: ['history'],
  async run({ history: all }) {
    const from = Math.max(0, all.length - LINES_MAX - 1);
    const lines = all.slice(from).map((line, i) => `${from + i} - ${line}`);
    return { lines, json: { history: all.slice(from) } };
  },
});
