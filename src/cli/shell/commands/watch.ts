import type { WatchEvent } from '../../../client/index.js';
import { ZooKeeperError } from '../../../client/index.js';
import { type Context, defineCommand, flag, operand } from '../command.js';
import { dataJson, dataText, eventJson } from '../format.js';

interface Seen {
  readonly event: WatchEvent;
  /** Undefined where they were not asked for, or the node has gone. */
  readonly data?: Buffer | null | undefined;
}

export const watch = defineCommand({
  name: 'watch',
  summary: 'Waits for a change of a node or below it; with -f goes on until Ctrl-C.',
  flags: {
    f: flag('follow: every change, not only the first'),
    d: flag('with the new data'),
    o: flag('only the node and its list of children, not all below'),
  },
  operands: { path: operand('the node, which need not exist yet') },
  examples: ['watch /ready', 'watch -f /services', 'watch -f -d -o /config'],
  async run(context, { f: follows = false, d: withData = false, o: only = false }, { path }) {
    const { client, signal, remark, style } = context;
    const stream = client.watch(path, { recursive: !only, signal });
    await stream.ready;
    remark(`Watching ${path}${only ? '' : ' and all below'}. Ctrl-C ends.`);
    const seen = async function* (): AsyncGenerator<Seen> {
      try {
        for await (const event of stream) {
          yield { event, data: withData ? await dataAfter(context, event) : undefined };
          if (!follows && event.type !== 'gap') return;
        }
      } catch (error) {
        if (!signal.aborted || !follows) throw error; // Ctrl-C is how one leaves a thing that follows
      }
    };
    const lines = async function* () {
      for await (const { event, data } of seen()) {
        const time = style.dim(new Date().toISOString().slice(11, 23));
        const text = data === undefined ? '' : `  ${style.content(dataText(data))}`;
        yield `${time}  ${describe(event)}  ${style.name(event.path)}${text}`;
      }
    };
    const json = async function* () {
      for await (const { event, data } of seen()) {
        yield { event: eventJson(event), ...(data === undefined ? {} : { data: dataJson(data) }) };
      }
    };
    return { lines: lines(), json: json() };
  },
});

function describe(event: WatchEvent): string {
  return event.type === 'gap' ? `changes may be missing (${event.reason})` : event.type;
}

async function dataAfter({ client, signal }: Context, { type, path }: WatchEvent): Promise<Buffer | null | undefined> {
  if (type !== 'created' && type !== 'dataChanged') return undefined;
  try {
    return (await client.get(path, { signal })).data;
  } catch (error) {
    if (ZooKeeperError.is(error, 'NoNode', 'NoAuth')) return undefined;
    throw error;
  }
}
