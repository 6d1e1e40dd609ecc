import { defineCommand, flag, operand } from '../command.js';
import { dataJson, dataText, hexDump, statJson, statLines } from '../format.js';
import { prettyJson } from '../json-text.js';

export const get = defineCommand({
  name: 'get',
  summary: "Shows a node's data.",
  flags: {
    s: flag('also its stat'),
    w: flag('and watch for a change'),
    b: flag('the data as base64'),
    x: flag('the data as a hex dump'),
    j: flag('JSON indented'),
  },
  operands: { path: operand('the node') },
  examples: ['get /config', 'get -s /config', 'get -j /config', 'get -x /binary'],
  async run({ client, signal, watch, style }, { s, w, b, x, j }, { path }) {
    const { data, stat } = await client.get(path, { signal, watch: w ? watch : undefined });
    const shown = (): string[] => {
      if (data !== null && b) return [data.toString('base64')];
      if (data !== null && x) return hexDump(data);
      const text = dataText(data);
      return (j ? prettyJson(text, style) : undefined) ?? [style.content(text)];
    };
    const lines = [...shown(), ...(s ? statLines(stat) : [])];
    return { lines, json: { path, data: dataJson(data), ...(s ? { stat: statJson(stat) } : {}) } };
  },
});
