import { defineCommand, operand } from '../command.js';
import { dataJson, hexDump, textOf } from '../format.js';
import { prettyJson } from '../json-text.js';

export const cat = defineCommand({
  name: 'cat',
  summary: "Shows a node's data as what they are: text, JSON or bytes; into a pipe or file, exactly.",
  flags: {},
  operands: { path: operand('the node') },
  examples: ['cat /config'],
  async run({ client, signal, style }, _, { path }) {
    const { data } = await client.get(path, { signal });
    const bytes = data ?? Buffer.alloc(0);
    const text = textOf(bytes);
    const textLines =
      text === undefined || text === '' ? undefined : (prettyJson(text, style) ?? [style.content(text)]);
    return { lines: textLines ?? (text === '' ? [] : hexDump(bytes)), bytes, json: { path, data: dataJson(data) } };
  },
});
