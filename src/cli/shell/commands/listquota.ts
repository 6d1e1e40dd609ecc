import { defineCommand, operand } from '../command.js';
import { limitsPath, limitsText, readQuota } from '../quota.js';

export const listquota = defineCommand({
  name: 'listquota',
  summary: "Shows a node's quota and what is used of it.",
  flags: {},
  operands: { path: operand('the node') },
  examples: ['listquota /app'],
  async run({ client, signal }, _, { path }) {
    const quota = await readQuota(client, path, signal);
    const where = `absolute path is ${limitsPath(path)}`;
    if (quota === null) return { lines: [where, `quota for ${path} does not exist.`], json: { path, quota: null } };
    const { limits, stats } = quota;
    const lines = [where, `Output quota for ${path} ${limitsText(limits)}`, `Output stat for ${path} ${stats}`];
    return { lines, json: { path, quota: limits, used: stats } };
  },
});
