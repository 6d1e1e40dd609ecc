import { defineCommand, flag, operand } from '../command.js';
import { aclLines, permsText, statJson, statLines } from '../format.js';

export const getAcl = defineCommand({
  name: 'getAcl',
  summary: 'Shows who may do what with a node.',
  flags: { s: flag('also its stat') },
  operands: { path: operand('the node') },
  examples: ['getAcl /config'],
  async run({ client, signal, style }, { s }, { path }) {
    const { acl, stat } = await client.getAcl(path, { signal });
    const lines = [...aclLines(acl).map(style.content), ...(s ? statLines(stat) : [])];
    const entries = acl.map(({ scheme, id, perms }) => ({ scheme, id, perms: permsText(perms) }));
    return { lines, json: { path, acl: entries, ...(s ? { stat: statJson(stat) } : {}) } };
  },
});
