import type { WatchType } from '../../../client/index.js';
import { defineCommand, flag, operand } from '../command.js';
import { UsageError } from '../errors.js';

export const removewatches = defineCommand({
  name: 'removewatches',
  summary: "Takes this shell's watches of a node away.",
  flags: {
    d: flag('only those of its data'),
    c: flag('only those of its children'),
    p: flag('only those of addWatch -m PERSISTENT'),
    r: flag('only those of addWatch -m PERSISTENT_RECURSIVE'),
    a: flag('all, as without a flag'),
    l: flag('here even if the server cannot be asked'),
  },
  operands: { path: operand('the node') },
  examples: ['removewatches /config', 'removewatches -d /config'],
  async run({ client, signal }, { d, c, p, r, a, l }, { path }) {
    const types: WatchType[] = [];
    if (d) types.push('data');
    if (c) types.push('children');
    if (p) types.push('persistent');
    if (r) types.push('recursive');
    if (a) types.push('any');
    if (types.length > 1) throw new UsageError('only one of -d, -c, -p, -r and -a at a time');
    const [type = 'any'] = types;
    await client.removeWatches(path, { type, local: l, signal });
    return { lines: [], json: { path, type } };
  },
});
