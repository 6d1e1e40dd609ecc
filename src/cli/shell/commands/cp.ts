import { defineCommand, flag, operand } from '../command.js';
import { addCopies } from '../copies.js';
import { HintedError } from '../errors.js';
import { isBelow, readImages } from '../node-images.js';
import { collected } from '../subtree.js';

export const cp = defineCommand({
  name: 'cp',
  summary: 'Copies a node, with its data and ACL; a whole subtree in one transaction.',
  flags: { R: flag('and all below it') },
  operands: { from: operand('the node'), to: operand('where the copy is made; its parent must exist') },
  examples: ['cp /config /config-before', 'cp -R /app /app-copy'],
  async run({ client, signal, remark }, { R }, { from, to }) {
    if (R && isBelow(to, from)) throw new HintedError(`${to} is inside of ${from}`, 'another target');
    const all = await collected(readImages(client, from, signal, R ? undefined : 0));
    const transaction = client.transaction();
    const note = addCopies(transaction, all, from, to);
    await transaction.commit({ signal });
    if (note !== undefined) remark(note);
    const lines = [`Copied ${all.length} ${all.length === 1 ? 'node' : 'nodes'} to ${to}`];
    return { lines, quietLines: [], json: { from, to, nodes: all.length } };
  },
});
