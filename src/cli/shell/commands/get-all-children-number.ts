import { defineCommand, operand } from '../command.js';

export const getAllChildrenNumber = defineCommand({
  name: 'getAllChildrenNumber',
  summary: 'Counts the nodes below a node, at all depths.',
  flags: {},
  operands: { path: operand('the node') },
  examples: ['getAllChildrenNumber /'],
  async run({ client, signal }, _, { path }) {
    const number = await client.allChildrenNumber(path, { signal });
    return { lines: [String(number)], json: { path, number } };
  },
});
