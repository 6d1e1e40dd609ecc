import { baseName } from '../../../../protocol/path.js';
import { ZooKeeperError } from '../../../client/index.js';
import { type Context, defineCommand, flag, operand, optionalOperand, textFlag } from '../command.js';
import { UsageError } from '../errors.js';
import { collected, type Visited, walk } from '../subtree.js';

export const find = defineCommand({
  name: 'find',
  summary: 'Lists the nodes below a node that fit a pattern.',
  flags: {
    d: textFlag('text', 'only those whose data contain this text'),
    e: flag('only ephemeral ones'),
  },
  operands: {
    path: operand('where to look'),
    pattern: optionalOperand('a name, in which * and ? stand for anything'),
  },
  examples: ['find / lock-*', 'find -e /services', 'find -d 10.0.0.7 /services *api*'],
  async run(context, { d: text, e }, { path: root, pattern }) {
    if (pattern === undefined && text === undefined && !e)
      throw new UsageError('say what to find: a pattern, -d or -e');
    const { client, signal, style } = context;
    const fitsName = pattern === undefined ? () => true : matcher(pattern);
    const found = async function* () {
      for await (const node of walk(client, root, signal)) {
        if (!fitsName(baseName(node.path)) || (e && !isEphemeral(node))) continue;
        if (text === undefined || (await hasText(context, node.path, text))) yield node.path;
      }
    };
    const lines = async function* () {
      for await (const path of found()) yield style.content(path);
    };
    return {
      lines: lines(),
      json: async () => ({ path: root, pattern: pattern ?? null, paths: await collected(found()) }),
    };
  },
});

function matcher(pattern: string): (name: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const fits = new RegExp(`^${source}$`, 's');
  return (name) => fits.test(name);
}

function isEphemeral({ stat }: Visited): boolean {
  return stat !== null && stat.ephemeralOwner !== 0n;
}

/** Not in data that may not be read, or that have gone. */
async function hasText({ client, signal }: Context, path: string, text: string): Promise<boolean> {
  try {
    return (await client.get(path, { signal })).data?.includes(text) ?? false;
  } catch (error) {
    if (ZooKeeperError.is(error, 'NoNode', 'NoAuth')) return false;
    throw error;
  }
}
