import { defineCommand, numberFlag, operand } from '../command.js';

export const deleteCommand = defineCommand({
  name: 'delete',
  summary: 'Deletes a node that has no children.',
  flags: { v: numberFlag('version', 'only if the node has this dataVersion', -1) },
  operands: { path: operand('the node') },
  examples: ['delete /config', 'delete -v 3 /config'],
  async run({ client, signal }, { v }, { path }) {
    await client.delete(path, { signal, version: v });
    return { lines: [], json: { path } };
  },
});
