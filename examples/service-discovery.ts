// Service discovery: every instance registers an ephemeral node with its address, which goes when the instance does;
// whoever needs the service follows the list.
//
//   npm run build && node dist/examples/service-discovery.js [host:port]

import { type Client, connect, ZooKeeperError } from 'zabra';

const address = process.argv[2] ?? '127.0.0.1:2181';
const SERVICE = '/example-services';

async function register(name: string, port: number): Promise<Client> {
  const client = await connect(address);
  await client.create(SERVICE, null, { container: true }).catch((error: unknown) => {
    if (!ZooKeeperError.is(error, 'NodeExists')) throw error;
  });
  await client.create(`${SERVICE}/${name}`, `127.0.0.1:${port}`, { ephemeral: true });
  return client;
}

async function* instances(client: Client, signal: AbortSignal): AsyncGenerator<string[]> {
  const events = client.watch(SERVICE, { signal });
  await events.ready;
  for (;;) {
    const names = (await client.children(SERVICE)).sort();
    const nodes = await client.multiRead(names.map((name) => ({ get: `${SERVICE}/${name}` }))); // all in one request
    // One that has gone in between is an error in its place, and left out.
    yield nodes.flatMap((node, i) => ('data' in node ? [`${names[i]} at ${node.data}`] : []));
    if ((await events.next()).done === true) return;
  }
}

const first = await register('api-1', 8001);
await using client = await connect(address);
const stop = new AbortController();
const lists = instances(client, stop.signal);
const show = async () => console.log((await lists.next()).value);

await show();
await using _ = await register('api-2', 8002);
await show();
await first.close(); // it leaves; had it crashed, its node would go when its session expires
await show();
stop.abort();
