import { defineCommand, flag, operand } from '../command.js';
import { deleteQuota, type Limits, readQuota, writeQuota } from '../quota.js';

export const delquota = defineCommand({
  name: 'delquota',
  summary: "Takes a node's quota away, or one limit of it.",
  flags: {
    n: flag('only the limit set by setquota -n'),
    b: flag('only that of -b'),
    N: flag('only that of -N'),
    B: flag('only that of -B'),
  },
  operands: { path: operand('the node') },
  examples: ['delquota /app', 'delquota -N /app'],
  async run({ client, signal }, { n, b, N, B }, { path }) {
    if ((await readQuota(client, path, signal)) === null) throw new Error(`Quota does not exist for ${path}`);
    const change: Partial<Limits> = {
      ...(n ? { count: -1 } : {}),
      ...(b ? { bytes: -1 } : {}),
      ...(B ? { byteHardLimit: -1 } : {}),
      ...(N ? { countHardLimit: -1 } : {}),
    };
    if (Object.keys(change).length > 0) {
      return { lines: [], json: { path, quota: await writeQuota(client, path, change, signal) } };
    }
    await deleteQuota(client, path, signal);
    return { lines: [], json: { path, quota: null } };
  },
});
