import { defineCommand, numberFlag, operand } from '../command.js';
import { HintedError, UsageError } from '../errors.js';
import { parseLimits, quotaInTheWay, readQuota, writeQuota } from '../quota.js';

export const setquota = defineCommand({
  name: 'setquota',
  summary: 'Limits the nodes and bytes below a node.',
  flags: {
    n: numberFlag('count', 'so many nodes, to be told of', 0),
    b: numberFlag('bytes', 'so many bytes of data, to be told of', 0),
    N: numberFlag('count', 'so many nodes, enforced', 0),
    B: numberFlag('bytes', 'so many bytes of data, enforced', 0),
  },
  operands: { path: operand('the node') },
  examples: ['setquota -n 1000 /app', 'setquota -N 2000 -B 5000000 /app'],
  async run({ client, signal }, { n, b, N, B }, { path }) {
    const change = {
      ...(n === undefined ? {} : { count: n }),
      ...(b === undefined ? {} : { bytes: b }),
      ...(B === undefined ? {} : { byteHardLimit: B }),
      ...(N === undefined ? {} : { countHardLimit: N }),
    };
    if (Object.keys(change).length === 0) throw new UsageError('say which limit: -n, -b, -N or -B');
    if ((await client.exists(path, { signal })) === null) {
      throw new HintedError(`${path} does not exist.`, `create ${path}`);
    }
    const other = await quotaInTheWay(client, path, signal);
    if (other !== null) {
      throw new Error(`${path} has a ${other.isAbove ? 'parent' : 'child'} ${other.path} which has a quota`);
    }
    const limits = await writeQuota(client, path, change, signal);
    const used = parseLimits((await readQuota(client, path, signal))?.stats ?? '');
    const lines = (['count', 'bytes'] as const)
      .filter((what) => limits[what] > -1 && limits[what] < used[what])
      .map((what) => `[Warning]: the ${what} quota you create is less than the existing ${what}:${used[what]}`);
    return { lines, json: { path, quota: limits } };
  },
});
