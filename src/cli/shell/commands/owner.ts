import { ZooKeeperError } from '../../../client/index.js';
import { connections } from '../cluster-sessions.js';
import { defineCommand, operand } from '../command.js';
import { hex, timeText } from '../format.js';

export const owner = defineCommand({
  name: 'owner',
  summary: 'Says which session an ephemeral node belongs to, and from where that is connected.',
  flags: {},
  operands: { path: operand('the node') },
  examples: ['owner /services/api-1'],
  async run({ client, session, signal, style }, _, { path }) {
    const stat = await client.exists(path, { signal });
    if (stat === null) throw new ZooKeeperError('NoNode', { operation: 'owner', path });
    if (stat.ephemeralOwner === 0n) {
      return { lines: [`${path} belongs to no session: it stays until it is deleted`], json: { path, session: null } };
    }
    const id = hex(stat.ephemeralOwner);
    const { bySession, problems } = await connections(session, signal);
    const found = bySession.get(id);
    const isOwn = stat.ephemeralOwner === client.session.id;
    const where =
      found !== undefined
        ? [`client = ${found.client}, on server ${found.server}`, `session timeout = ${found.timeoutMs} ms`]
        : [
            `client = unknown (${problems.length > 0 ? problems.join('; ') : 'not connected to any of the servers at hand'})`,
          ];
    return {
      lines: [
        `session = ${id}${isOwn ? style.dim(' (this shell)') : ''}`,
        ...where,
        `since = ${timeText(stat.ctime)}`,
        `token = ${hex(stat.czxid)}`,
      ],
      json: {
        path,
        session: id,
        client: found?.client ?? null,
        server: found?.server ?? null,
        token: hex(stat.czxid),
        isOwn,
      },
    };
  },
});
