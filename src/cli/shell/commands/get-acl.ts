import { defineCommand, flag, operand } from '../command.js';
import { aclJson, aclLines, statJson, statLines } from '../format.js';

export const getAcl = defineCommand({
  name: 'getAcl',
  summary: 'Shows who may do what with a node.',
  flags: { s: flag('also its stat') },
  operands: { path: operand('the node') },
  examples: ['getAcl /config'],
  async run({ client, signal, style }, { s }, { path }) {
    const { acl, stat } = await client.getAcl(path, { signal });
    const lines = [...aclLines(acl).map(style.content), ...(s ? statLines(stat) : [])];
    return { lines, json: { path, acl: aclJson(acl), ...(s ? { stat: statJson(stat) } : {}) } };
  },
});
