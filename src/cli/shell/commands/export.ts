import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { defineCommand, operand, optionalOperand } from '../command.js';
import { exported } from '../export-file.js';
import { readImages } from '../node-images.js';

export const exportCommand = defineCommand({
  name: 'export',
  summary: 'Writes a node and all below it as JSON lines, with data, ACLs and counters, for import.',
  flags: {},
  operands: { path: operand('the node'), file: optionalOperand('where to; printed by default') },
  examples: ['export /app app.jsonl', 'export /'],
  async run({ client, signal }, _, { path, file }) {
    const records = () => exported(path, readImages(client, path, signal));
    let nodes = -1; // the first line is none
    const lines = async function* () {
      for await (const record of records()) {
        nodes++;
        yield JSON.stringify(record);
      }
    };
    if (file === undefined) return { lines: lines(), json: records() };
    const texts = async function* () {
      for await (const line of lines()) yield `${line}\n`;
    };
    await pipeline(Readable.from(texts()), createWriteStream(file, { mode: 0o600 }), { signal });
    return { lines: [`Exported ${nodes} nodes to ${file}`], quietLines: [], json: { path, file, nodes } };
  },
});
