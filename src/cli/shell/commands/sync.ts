import { defineCommand, operand } from '../command.js';

export const sync = defineCommand({
  name: 'sync',
  summary: 'Waits until this server has caught up with all writes finished before.',
  flags: {},
  operands: { path: operand('any node') },
  examples: ['sync /'],
  async run({ client, signal }, _, { path }) {
    await client.sync(path, { signal });
    return { lines: ['Sync is OK'], quietLines: [], json: { path } };
  },
});
