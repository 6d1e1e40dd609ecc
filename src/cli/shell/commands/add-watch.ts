import { choiceFlag, defineCommand, operand } from '../command.js';

const MODES = ['PERSISTENT', 'PERSISTENT_RECURSIVE'] as const;

export const addWatch = defineCommand({
  name: 'addWatch',
  summary: 'Watches a node, or all below it, until removewatches.',
  flags: { m: choiceFlag('mode', MODES, 'PERSISTENT (the node) or PERSISTENT_RECURSIVE (and all below, the default)') },
  operands: { path: operand('the node, which need not exist yet') },
  examples: ['addWatch /config', 'addWatch -m PERSISTENT /config'],
  async run({ client, signal, watch }, { m: mode = 'PERSISTENT_RECURSIVE' }, { path }) {
    await client.addWatch(path, watch, { recursive: mode === 'PERSISTENT_RECURSIVE', signal });
    return { lines: [], json: { path, mode } };
  },
});
