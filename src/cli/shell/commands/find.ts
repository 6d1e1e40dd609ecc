import { defineCommand, operand } from '../command.js';
import { subtree } from '../subtree.js';

export const find = defineCommand({
  name: 'find',
  summary: 'Lists the nodes below a node whose name fits a pattern.',
  flags: {},
  operands: { path: operand('where to look'), pattern: operand('a name, in which * and ? stand for anything') },
  examples: ['find / lock-*', 'find /services *api*'],
  async run({ client, signal }, _, { path: root, pattern }) {
    const source = pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    const fits = new RegExp(`^${source}$`, 's');
    const paths = (await subtree(client, root, signal)).filter((path) =>
      fits.test(path.slice(path.lastIndexOf('/') + 1)),
    );
    return { lines: paths, json: { path: root, pattern, paths } };
  },
});
