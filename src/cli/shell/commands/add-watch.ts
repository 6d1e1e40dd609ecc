import { defineCommand, operand, textFlag } from '../command.js';
import { UsageError } from '../errors.js';

const MODES: Readonly<Record<string, boolean>> = { PERSISTENT: false, PERSISTENT_RECURSIVE: true };

export const addWatch = defineCommand({
  name: 'addWatch',
  summary: 'Watches a node, or all below it, until removewatches.',
  flags: { m: textFlag('mode', 'PERSISTENT (the node) or PERSISTENT_RECURSIVE (and all below, the default)') },
  operands: { path: operand('the node, which need not exist yet') },
  examples: ['addWatch /config', 'addWatch -m PERSISTENT /config'],
  async run({ client, signal, watch }, { m: mode = 'PERSISTENT_RECURSIVE' }, { path }) {
    const recursive = Object.hasOwn(MODES, mode) ? MODES[mode] : undefined;
    if (recursive === undefined)
      throw new UsageError(`the mode is one of ${Object.keys(MODES).join(', ')}, not ${mode}`);
    await client.addWatch(path, watch, { recursive, signal });
    return { lines: [], json: { path, mode } };
  },
});
