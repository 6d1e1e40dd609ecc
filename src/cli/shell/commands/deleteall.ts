import { ZooKeeperError } from '../../../client/index.js';
import { defineCommand, numberFlag, operand } from '../command.js';
import { subtree } from '../subtree.js';

const BATCH = 1000;

export const deleteall = defineCommand({
  name: 'deleteall',
  summary: 'Deletes a node and all below it.',
  flags: { b: numberFlag('batch size', `so many deletes under way at once [${BATCH}]`, 1) },
  operands: { path: operand('the node') },
  examples: ['deleteall /old'],
  async run({ client, signal }, { b = BATCH }, { path: root }) {
    // Children first. A session's requests are carried out in their order, so they need not wait for each other.
    const paths = (await subtree(client, root, signal)).reverse();
    const remove = async (path: string): Promise<void> => {
      try {
        await client.delete(path, { signal });
      } catch (error) {
        if (!ZooKeeperError.is(error, 'NoNode')) throw error; // somebody else was faster
      }
    };
    for (let from = 0; from < paths.length; from += b) await Promise.all(paths.slice(from, from + b).map(remove));
    return { lines: [], json: { path: root, deleted: paths.length } };
  },
});
