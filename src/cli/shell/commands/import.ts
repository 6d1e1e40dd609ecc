import { ZooKeeperError } from '../../../client/index.js';
import { type Context, defineCommand, flag, operand, optionalOperand } from '../command.js';
import { raiseCounter } from '../counters.js';
import { aclOf, dataOf, type ExportedNode, readExport } from '../export-file.js';
import { moved } from '../node-images.js';

const TOGETHER = 128;

export const importCommand = defineCommand({
  name: 'import',
  summary: 'Makes the nodes that export wrote, at their old place or another.',
  flags: {
    u: flag('update nodes that exist; without it they end the import'),
    e: flag('make ephemeral nodes too, of this session; without it they are left out'),
  },
  operands: {
    file: operand('what export wrote'),
    path: optionalOperand('the new place of its root; the old one by default'),
  },
  examples: ['import app.jsonl', 'import -u app.jsonl /app-copy'],
  async run(context, { u: updates = false, e: ephemerals = false }, { file, path }) {
    const { client, signal, remark } = context;
    const { root, nodes } = await readExport(file);
    const counters: { path: string; counter: number }[] = [];
    const count = { created: 0, updated: 0, leftOut: 0 };
    let batch: Promise<keyof typeof count>[] = [];
    const finish = async (): Promise<void> => {
      for (const outcome of await Promise.all(batch)) count[outcome]++;
      batch = [];
    };
    for await (const node of nodes) {
      const target = moved(node.path, root, path ?? root);
      if (node.ephemeral !== undefined && !ephemerals) count.leftOut++;
      else {
        // A session's requests are carried out in their order, so a child need not wait for its parent.
        batch.push(make(context, target, node, updates));
        if (node.counter !== undefined) counters.push({ path: target, counter: node.counter });
      }
      if (batch.length === TOGETHER) await finish();
    }
    await finish();
    for (const each of counters) {
      const missing = await raiseCounter(client, each.path, each.counter, signal);
      if (missing > 0) remark(`Sequential names below ${each.path} start ${missing} numbers earlier than they did`);
    }
    const leftOut = count.leftOut === 0 ? '' : `, left out ${count.leftOut} ephemeral (-e makes them)`;
    const updated = count.updated === 0 ? '' : `, updated ${count.updated}`;
    return { lines: [`Created ${count.created} nodes${updated}${leftOut}`], quietLines: [], json: { file, ...count } };
  },
});

async function make(
  { client, signal }: Context,
  path: string,
  node: ExportedNode,
  updates: boolean,
): Promise<'created' | 'updated'> {
  const data = dataOf(node);
  const acl = aclOf(node);
  try {
    await client.create(path, data, { acl, ephemeral: node.ephemeral !== undefined, signal });
    return 'created';
  } catch (error) {
    if (!ZooKeeperError.is(error, 'NodeExists') || !(updates || path === '/')) throw error;
    if (updates) await Promise.all([client.set(path, data, { signal }), client.setAcl(path, acl, { signal })]);
    return 'updated';
  }
}
