import { defineCommand, operand, optionalOperand } from '../command.js';

export const addauth = defineCommand({
  name: 'addauth',
  summary: 'Adds an identity to this session.',
  flags: {},
  operands: { scheme: operand('digest, …'), auth: optionalOperand('for digest, user:password') },
  examples: ['addauth digest ann:secret'],
  async run({ client, signal }, _, { scheme, auth }) {
    await client.addAuth(scheme, auth ?? '', { signal });
    return { lines: [], json: { scheme } };
  },
});
