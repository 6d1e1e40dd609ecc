import { defineCommand, flag, numberFlag, operand } from '../command.js';
import { fromBase64, statJson, statLines } from '../format.js';

export const set = defineCommand({
  name: 'set',
  summary: "Replaces a node's data.",
  flags: {
    s: flag('show the new stat'),
    v: numberFlag('version', 'only if the node has this dataVersion', -1),
    b: flag('the data is base64'),
  },
  operands: { path: operand('the node'), data: operand('its new content') },
  examples: ['set /config on', 'set -v 3 /config "two words"'],
  async run({ client, signal }, { s, v, b }, { path, data }) {
    const stat = await client.set(path, b ? fromBase64(data) : data, { signal, version: v });
    return { lines: s ? statLines(stat) : [], json: { path, stat: statJson(stat) } };
  },
});
