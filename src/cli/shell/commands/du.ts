import { defineCommand, flag, operand } from '../command.js';
import { walk } from '../subtree.js';

interface Total {
  path: string;
  nodes: number;
  bytes: number;
}

export const du = defineCommand({
  name: 'du',
  summary: 'Sums up the nodes and bytes of data below a node, and below each of its children.',
  flags: { s: flag('only the sum') },
  operands: { path: operand('the node') },
  examples: ['du /', 'du -s /services'],
  async run({ client, signal, style }, { s }, { path: root }) {
    const sum: Total = { path: root, nodes: 0, bytes: 0 };
    const children: Total[] = [];
    for await (const { path, depth, stat } of walk(client, root, signal)) {
      // Who may not list a node's children may still ask for its stat.
      const bytes = (stat ?? (await client.exists(path, { signal })))?.dataLength ?? 0;
      if (depth === 1) children.push({ path, nodes: 0, bytes: 0 });
      for (const total of depth === 0 ? [sum] : [sum, children[children.length - 1]]) {
        total.nodes++;
        total.bytes += bytes;
      }
    }
    const totals = [...(s ? [] : children), sum];
    const width = Math.max(...totals.map(({ bytes }) => String(bytes).length), 'bytes'.length);
    const nodesWidth = Math.max(...totals.map(({ nodes }) => String(nodes).length), 'nodes'.length);
    const row = (bytes: string, nodes: string, path: string): string =>
      `${bytes.padStart(width)}  ${nodes.padStart(nodesWidth)}  ${path}`;
    return {
      lines: [
        style.dim(row('bytes', 'nodes', 'path')),
        ...totals.map(({ bytes, nodes, path }) => row(String(bytes), String(nodes), style.name(path))),
      ],
      json: { ...sum, ...(s ? {} : { children }) },
    };
  },
});
