import { defineCommand, optionalOperand } from '../command.js';
import { listText, sorted } from '../format.js';

export const getEphemerals = defineCommand({
  name: 'getEphemerals',
  summary: 'Lists the ephemeral nodes of this session.',
  flags: {},
  operands: { path: optionalOperand('only paths that begin with this') },
  examples: ['getEphemerals', 'getEphemerals /services'],
  async run({ client, signal }, _, { path }) {
    const paths = sorted(await client.ephemerals(path ?? '/', { signal }));
    return { lines: [listText(paths)], json: { paths } };
  },
});
