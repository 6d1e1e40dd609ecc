import { type Client, type Stat, ZooKeeperError } from '../../../client/index.js';
import { connections } from '../cluster-sessions.js';
import { defineCommand, operand } from '../command.js';
import { dataJson, dataText, hex } from '../format.js';
import { join } from '../subtree.js';
import { table } from '../table.js';

interface Contender {
  readonly name: string;
  readonly stat: Stat;
  readonly data: Buffer | null;
}

export const locks = defineCommand({
  name: 'locks',
  summary: 'Shows who holds a lock or leads an election, and who waits: fencing token, session, client, data.',
  flags: {},
  operands: { path: operand("the lock's node, below which the contenders stand") },
  examples: ['locks /locks/report'],
  async run({ client, session, signal, style }, _, { path }) {
    const queue = await contenders(client, path, signal);
    const { bySession, problems } = queue.length > 0 ? await connections(session, signal) : NOBODY;
    const rows = queue.map(({ name, stat, data }, i) => {
      const id = hex(stat.ephemeralOwner);
      return {
        place: i === 0 ? 'holder' : `waits ${i}`,
        node: name,
        token: hex(stat.czxid),
        session: stat.ephemeralOwner === 0n ? null : id,
        client: bySession.get(id)?.client ?? null,
        data: dataJson(data),
      };
    });
    const [title, ...texts] = table(
      ['place', 'node', 'token', 'session', 'client', 'data'],
      rows.map(({ place, node, token, session: id, client: address }, i) => [
        ...[place, node, token, id ?? 'none', address ?? '?'],
        short(dataText(queue[i].data)),
      ]),
    );
    const lines =
      rows.length === 0
        ? [`${path} is free: nobody holds it, nobody waits`]
        : [
            style.dim(title),
            ...texts.map(style.content),
            ...(problems.length === 0 ? [] : [style.dim(`clients unknown: ${problems.join('; ')}`)]),
          ];
    return { lines, json: { path, queue: rows } };
  },
});

const NOBODY: Awaited<ReturnType<typeof connections>> = { bySession: new Map(), problems: [] };
const SHOWN_CHARACTERS_MAX = 40;

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= SHOWN_CHARACTERS_MAX ? line : `${line.slice(0, SHOWN_CHARACTERS_MAX)}…`;
}

/**
 * Children with a sequence number, in its order, whatever stands before it: the locks and elections of Curator, kazoo and
 * ours alike. One that goes meanwhile is left out.
 */
async function contenders(client: Client, path: string, signal: AbortSignal): Promise<Contender[]> {
  const names = (await client.children(path, { signal }))
    .filter((name) => SEQUENCE.test(name))
    .sort((a, b) => (sequenceOf(a) - sequenceOf(b)) | 0); // the number wraps around (E26)
  const nodes = await Promise.all(names.map((name) => contender(client, join(path, name), name, signal)));
  return nodes.filter((node) => node !== null);
}

/** A minus is a sign only behind the one that ends the prefix: `lock-0000000007`, `lock--2147483648`. */
const SEQUENCE = /(?:(?<=[-_])(-))?(\d{10})$/;

function sequenceOf(name: string): number {
  const [, sign = '', digits] = SEQUENCE.exec(name) ?? [];
  return Number(sign + digits);
}

async function contender(client: Client, path: string, name: string, signal: AbortSignal): Promise<Contender | null> {
  try {
    return { name, ...(await client.get(path, { signal })) };
  } catch (error) {
    if (ZooKeeperError.is(error, 'NoNode')) return null;
    if (!ZooKeeperError.is(error, 'NoAuth')) throw error;
    const stat = await client.exists(path, { signal });
    return stat === null ? null : { name, stat, data: null };
  }
}
