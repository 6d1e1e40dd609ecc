import { defineCommand, flag, operand } from '../command.js';
import { dataJson, dataText, hexDump, statJson, statLines } from '../format.js';

export const get = defineCommand({
  name: 'get',
  summary: "Shows a node's data.",
  flags: {
    s: flag('also its stat'),
    w: flag('and watch for a change'),
    b: flag('the data as base64'),
    x: flag('the data as a hex dump'),
  },
  operands: { path: operand('the node') },
  examples: ['get /config', 'get -s /config', 'get -x /binary'],
  async run({ client, signal, watch, style }, { s, w, b, x }, { path }) {
    const { data, stat } = await client.get(path, { signal, watch: w ? watch : undefined });
    const text =
      data === null || !(b || x) ? [style.content(dataText(data))] : b ? [data.toString('base64')] : hexDump(data);
    const lines = [...text, ...(s ? statLines(stat) : [])];
    return { lines, json: { path, data: dataJson(data), ...(s ? { stat: statJson(stat) } : {}) } };
  },
});
