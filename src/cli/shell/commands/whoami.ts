import { defineCommand } from '../command.js';

export const whoami = defineCommand({
  name: 'whoami',
  summary: 'Shows the identities of this session.',
  flags: {},
  operands: {},
  examples: ['whoami'],
  async run({ client, signal, style }) {
    const identities = (await client.whoAmI({ signal })).sort((a, b) => (a.scheme < b.scheme ? -1 : 1));
    const lines = identities.map(({ scheme, id }) => style.content(`${scheme}: ${id}`));
    return { lines: ['Auth scheme: User', ...lines], json: { identities } };
  },
});
