// Configuration that follows its node: read it, and again after every change. A watch stream reports changes, and a `gap`
// where the connection was away and changes may have been missed; reading again is the right answer to both.
//
//   npm run build && node dist/examples/config-watch.js [host:port]

import { type Client, connect } from 'zabra';

const address = process.argv[2] ?? '127.0.0.1:2181';
const PATH = '/example-config';

async function follow(client: Client, apply: (config: unknown) => void, signal: AbortSignal): Promise<void> {
  const events = client.watch(PATH, { signal });
  await events.ready; // from here on no change is missed, so now read what there is
  const load = async () => apply(JSON.parse(String((await client.get(PATH, { signal })).data)));
  await load();
  for await (const event of events) {
    if (event.type === 'dataChanged' || event.type === 'gap') await load();
  }
}

await using client = await connect(address);
await client.create(PATH, JSON.stringify({ colour: 'red' }), { ephemeral: true });

const stop = new AbortController();
const seen: (() => void)[] = [];
const applied = () => new Promise<void>((resolve) => seen.push(resolve));
const first = applied();
const following = follow(
  client,
  (config) => {
    console.log(`configuration: ${JSON.stringify(config)}`);
    seen.shift()?.();
  },
  stop.signal,
);
await first;

// Somebody else changes it, and only if nobody did so in between.
await using editor = await connect(address);
for (const colour of ['green', 'blue']) {
  const { stat } = await editor.get(PATH);
  const next = applied();
  await editor.set(PATH, JSON.stringify({ colour }), { version: stat.version });
  await next;
}
stop.abort();
await following.catch(() => {}); // the reason of the abort
