import { defineCommand, flag, operand } from '../command.js';
import { listText, sorted, statJson, statLines } from '../format.js';
import { subtree, walk } from '../subtree.js';

export const ls = defineCommand({
  name: 'ls',
  summary: 'Lists the children of a node.',
  flags: { s: flag("also the node's stat"), w: flag('and watch for a change'), R: flag('all below, one path a line') },
  operands: { path: operand('the node') },
  examples: ['ls /', 'ls -s /services', 'ls -R /'],
  async run({ client, signal, watch, style }, { s, w, R }, { path }) {
    const options = { signal, watch: w ? watch : undefined };
    if (R) {
      if (w) await client.children(path, options);
      const lines = async function* () {
        for await (const node of walk(client, path, signal)) yield style.content(node.path);
      };
      return { lines: lines(), json: async () => ({ path, paths: await subtree(client, path, signal) }) };
    }
    const { children, stat } = await client.children(path, { ...options, withStat: true });
    const names = sorted(children);
    const lines = [listText(names.map(style.name)), ...(s ? statLines(stat) : [])];
    return { lines, json: { path, children: names, ...(s ? { stat: statJson(stat) } : {}) } };
  },
});
