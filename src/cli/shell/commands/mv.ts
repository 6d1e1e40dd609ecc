import { defineCommand, operand } from '../command.js';
import { addCopies } from '../copies.js';
import { HintedError } from '../errors.js';
import { isBelow, readImages } from '../node-images.js';
import { collected } from '../subtree.js';

export const mv = defineCommand({
  name: 'mv',
  summary: 'Moves a node and all below it, with data and ACLs, in one transaction: all or nothing.',
  flags: {},
  operands: { from: operand('the node'), to: operand('its new path; the parent must exist') },
  examples: ['mv /app /app-old'],
  async run({ client, signal, remark }, _, { from, to }) {
    if (isBelow(to, from)) throw new HintedError(`${to} is ${from} itself or inside of it`, 'another target');
    const all = await collected(readImages(client, from, signal));
    const ephemeral = all.find(({ stat }) => stat.ephemeralOwner !== 0n);
    if (ephemeral !== undefined) {
      throw new HintedError(`${ephemeral.path} belongs to a session and cannot be moved`, `owner ${ephemeral.path}`);
    }
    const transaction = client.transaction();
    const note = addCopies(transaction, all, from, to);
    // Deleted as they were read: who changes one meanwhile makes the move fail and loses nothing.
    for (const { path, stat } of all.toReversed()) transaction.delete(path, { version: stat.version });
    await transaction.commit({ signal });
    if (note !== undefined) remark(note);
    const lines = [`Moved ${all.length} ${all.length === 1 ? 'node' : 'nodes'} to ${to}`];
    return { lines, quietLines: [], json: { from, to, nodes: all.length } };
  },
});
