import { defineCommand } from '../command.js';

export const close = defineCommand({
  name: 'close',
  summary: 'Ends the session, with its ephemeral nodes, and stays in the shell.',
  flags: {},
  operands: {},
  examples: ['close'],
  async run({ session }) {
    await session.close();
    return { lines: [], json: null };
  },
});
