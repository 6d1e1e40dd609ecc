import { defineCommand, optionalOperand } from '../command.js';
import { subtree } from '../subtree.js';

export const tree = defineCommand({
  name: 'tree',
  summary: 'Draws a node and all below it.',
  flags: {},
  operands: { path: optionalOperand('the node; / by default') },
  examples: ['tree', 'tree /services'],
  async run({ client, signal, style }, _, { path: root = '/' }) {
    const paths = await subtree(client, root, signal);
    const depth = (path: string) => (path === '/' ? 0 : path.split('/').length - 1);
    const lines = paths.map((path) => {
      if (path === root) return style.name(root);
      return `${'  '.repeat(depth(path) - depth(root))}${style.name(path.slice(path.lastIndexOf('/') + 1))}`;
    });
    return { lines, json: { path: root, paths } };
  },
});
