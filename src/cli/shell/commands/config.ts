import { defineCommand, flag } from '../command.js';
import { clientConfigText, dataText, statJson, statLines } from '../format.js';

export const config = defineCommand({
  name: 'config',
  summary: "Shows the ensemble's configuration.",
  flags: {
    c: flag('only its version and where clients connect to'),
    w: flag('and watch for a change'),
    s: flag('also its stat'),
  },
  operands: {},
  examples: ['config', 'config -c'],
  async run({ client, signal, watch, style }, { c, w, s }) {
    const { data, stat } = await client.getConfig({ signal, watch: w ? watch : undefined });
    const all = data === null ? '' : dataText(data);
    const text = c ? clientConfigText(all) : all;
    const lines = [...(text === '' ? [] : [style.content(text)]), ...(s ? statLines(stat) : [])];
    return { lines, json: { config: text, ...(s ? { stat: statJson(stat) } : {}) } };
  },
});
