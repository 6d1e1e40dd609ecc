import { defineCommand, flag, operand } from '../command.js';
import { dataJson, dataText, statJson, statLines } from '../format.js';

export const get = defineCommand({
  name: 'get',
  summary: "Shows a node's data.",
  flags: { s: flag('also its stat'), w: flag('and watch for a change') },
  operands: { path: operand('the node') },
  examples: ['get /config', 'get -s /config'],
  async run({ client, signal, watch, style }, { s, w }, { path }) {
    const { data, stat } = await client.get(path, { signal, watch: w ? watch : undefined });
    const lines = [style.content(dataText(data)), ...(s ? statLines(stat) : [])];
    return { lines, json: { path, data: dataJson(data), ...(s ? { stat: statJson(stat) } : {}) } };
  },
});
