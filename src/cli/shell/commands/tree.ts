import { baseName } from '../../../../protocol/path.js';
import { defineCommand, numberFlag, optionalOperand } from '../command.js';
import { collected, type Visited, walk } from '../subtree.js';

export const tree = defineCommand({
  name: 'tree',
  summary: 'Draws a node and all below it.',
  flags: { L: numberFlag('levels', 'not deeper than this', 1) },
  operands: { path: optionalOperand('the node; / by default') },
  examples: ['tree', 'tree -L 2 /services'],
  async run({ client, signal, style }, { L: levels }, { path: root = '/' }) {
    const nodes = (): AsyncGenerator<Visited> => walk(client, root, signal, levels);
    const lines = async function* () {
      const hasBrothers: boolean[] = []; // of the node's ancestors, by depth: whether their line goes on
      for await (const { path, depth, isLast } of nodes()) {
        hasBrothers[depth] = !isLast;
        const trunk = hasBrothers.slice(1, depth).map((goesOn) => (goesOn ? '│   ' : '    '));
        const branch = depth === 0 ? '' : isLast ? '└── ' : '├── ';
        yield style.dim(trunk.join('') + branch) + style.name(depth === 0 ? root : baseName(path));
      }
    };
    const json = async (): Promise<unknown> => ({
      path: root,
      paths: (await collected(nodes())).map(({ path }) => path),
    });
    return { lines: lines(), json };
  },
});
