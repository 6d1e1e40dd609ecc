import { defineCommand } from '../command.js';

export const quit = defineCommand({
  name: 'quit',
  summary: 'Ends the session and leaves the shell.',
  flags: {},
  operands: {},
  examples: ['quit'],
  async run() {
    return { lines: [], json: null, quit: true };
  },
});
