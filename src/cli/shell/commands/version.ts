import { packageVersion } from '../../../server/index.js';
import { defineCommand } from '../command.js';

export const version = defineCommand({
  name: 'version',
  summary: 'Shows the version of this shell.',
  flags: {},
  operands: {},
  examples: ['version'],
  async run() {
    const text = packageVersion();
    return { lines: [`Zabra CLI version: ${text}`], json: { version: text } };
  },
});
