import { defineCommand, flag, numberFlag, operand } from '../command.js';
import { parseAcl, statJson, statLines } from '../format.js';
import { subtree } from '../subtree.js';

export const setAcl = defineCommand({
  name: 'setAcl',
  summary: 'Says who may do what with a node.',
  flags: {
    s: flag('show the new stat'),
    v: numberFlag('version', 'only if the node has this aclVersion', -1),
    R: flag('the node and all below'),
  },
  operands: { path: operand('the node'), acl: operand('scheme:id:perms[,…], perms being letters of cdrwa') },
  examples: ['setAcl /config world:anyone:r', 'setAcl /mine auth::cdrwa'],
  async run({ client, signal }, { s, v, R }, { path: root, acl: text }) {
    const acl = parseAcl(text);
    const paths = R ? await subtree(client, root, signal) : [root];
    const lines: string[] = [];
    const changed: unknown[] = [];
    for (const path of paths) {
      const stat = await client.setAcl(path, acl, { signal, version: v });
      if (s) lines.push(...statLines(stat));
      changed.push({ path, stat: statJson(stat) });
    }
    return { lines, json: R ? changed : changed[0] };
  },
});
