import { ZooKeeperError } from '../../../client/index.js';
import { defineCommand, flag, operand } from '../command.js';
import { statJson, statLines } from '../format.js';

export const stat = defineCommand({
  name: 'stat',
  summary: "Shows a node's stat: its zxids, times, versions and sizes.",
  flags: { w: flag('and watch for a change, or for its creation') },
  operands: { path: operand('the node') },
  examples: ['stat /config'],
  async run({ client, signal, watch }, { w }, { path }) {
    const found = await client.exists(path, { signal, watch: w ? watch : undefined });
    if (found === null) throw new ZooKeeperError('NoNode', { operation: 'stat', path });
    return { lines: statLines(found), json: { path, stat: statJson(found) } };
  },
});
