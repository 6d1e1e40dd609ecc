import { connections, nobodyTells, parseEphemerals } from '../cluster-sessions.js';
import { type Context, defineCommand, operand, optionalOperand, type Result } from '../command.js';
import { HintedError, UsageError } from '../errors.js';
import { hex } from '../format.js';
import { table } from '../table.js';

export const session = defineCommand({
  name: 'session',
  summary: 'Lists the sessions that are connected, with their clients and ephemeral nodes; or ends this one.',
  flags: {},
  operands: {
    action: operand('list or kill', ['list', 'kill']),
    id: optionalOperand('of the session to kill, as 0x1000a'),
  },
  examples: ['session list', 'session kill 0x1000a0001'],
  async run(context, _, { action, id }) {
    if (action === 'list') return await list(context);
    if (id === undefined) throw new UsageError('say which session: session list shows them');
    return await kill(context, id);
  },
});

async function list({ client, session: shell, signal, style }: Context): Promise<Result> {
  const [{ bySession, problems }, ephemerals] = await Promise.all([
    connections(shell, signal),
    ephemeralsBySession(shell, signal),
  ]);
  if (bySession.size === 0) throw nobodyTells('cons', problems);
  const own = hex(client.session.id);
  const sessions = [...bySession.values()].map((info) => ({ ...info, ephemerals: ephemerals.get(info.session) ?? [] }));
  const rows = sessions.map(({ session: id, client: address, server, timeoutMs, lastOperation, ephemerals: paths }) => [
    id === own ? `${id} (this)` : id,
    address,
    server,
    `${timeoutMs} ms`,
    lastOperation,
    String(paths.length),
  ]);
  const [title, ...lines] = table(['session', 'client', 'server', 'timeout', 'last', 'ephemerals'], rows);
  const notes = problems.map((problem) => style.dim(`not told: ${problem}`));
  return { lines: [style.dim(title), ...lines, ...notes], json: { sessions, problems } };
}

/** No ZooKeeper lets one client end another's session; what can be done instead depends on who it is. */
async function kill({ client, session: shell, signal }: Context, id: string): Promise<Result> {
  if (id === hex(client.session.id)) {
    await shell.close();
    return { lines: [`Ended ${id}, the session of this shell`], quietLines: [], json: { session: id } };
  }
  const [{ bySession }, ephemerals] = await Promise.all([
    connections(shell, signal),
    ephemeralsBySession(shell, signal),
  ]);
  const found = bySession.get(id);
  const paths = ephemerals.get(id) ?? [];
  const where = found === undefined ? 'it is not connected to any server that tells' : `its client is ${found.client}`;
  throw new HintedError(
    `the servers let nobody end another's session ${id}; ${where}`,
    paths.length === 0
      ? 'ending that process: the session goes when its timeout is over'
      : `ending that process, or deleting its nodes: ${paths.map((path) => `delete ${path}`).join('; ')}`,
  );
}

async function ephemeralsBySession(
  shell: Context['session'],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const said = await shell.ask('dump', 'all', signal);
  const all = said.map(({ answer }) => parseEphemerals(answer ?? ''));
  return new Map(all.flatMap((each) => [...each]));
}
