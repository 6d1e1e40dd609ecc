// Service discovery: every instance registers its address, with metadata and its health, and is gone when it is; whoever
// needs the service follows the list, picks from it, and keeps the last known one while the ensemble is away.
//
//   npm run build && node dist/examples/service-discovery.js [host:port]

import { connect } from 'zabra';
import { NoInstanceError, ServiceDiscovery, type ServiceInstance } from 'zabra/recipes';

const address = process.argv[2] ?? '127.0.0.1:2181';
const SERVICES = '/example-services';

interface Metadata {
  zone: string;
}

/** An instance as a process of its own would register it: with its own client. */
async function startInstance(id: string, port: number, zone: string) {
  const client = await connect(address);
  const discovery = new ServiceDiscovery(client, SERVICES);
  const metadata: Metadata = { zone };
  const registration = await discovery.register({ name: 'api', id, address: '127.0.0.1', port, metadata });
  return { registration, crash: () => client.close() };
}

await using client = await connect(address);
await using api = await new ServiceDiscovery(client, SERVICES).watch<Metadata>('api');
const lists = api.values();
await lists.next(); // nobody yet

const show = async () => {
  const { value = [] } = await lists.next();
  console.log(value.map(({ id, address, port }: ServiceInstance) => `${id} at ${address}:${port}`));
};

const first = await startInstance('api-1', 8001, 'a');
await show();
const second = await startInstance('api-2', 8002, 'b');
await show();
await first.crash(); // its session ends, and with it the registration
await show();

const third = await startInstance('api-3', 8003, 'a');
await show();
console.log(`in turn: ${[1, 2, 3, 4].map(() => api.pick().id).join(' ')}`);
const sticky = [1, 2, 3].map(() => api.pick({ policy: 'sticky', key: 'user-7' }).id);
console.log(`user-7 stays with one instance: ${new Set(sticky).size === 1}`);
console.log(`in zone b: ${api.pick({ accept: ({ metadata }) => metadata.zone === 'b' }).id}`);
await api.use(async (busy) => {
  const { id } = api.pick({ policy: 'least-loaded' });
  console.log(`while one is busy, the least loaded is another: ${id !== busy.id}`);
});

await second.registration.update({ health: 'down' });
await third.registration.update({ health: 'down' });
await lists.next();
try {
  for (;;) {
    api.pick(); // until both updates have arrived
    await lists.next();
  }
} catch (error) {
  if (!(error instanceof NoInstanceError)) throw error;
  console.log(error.message);
}
// With no server in reach the list stays as it was: api.ageMs says how old it is, and pick({ ageMsMax }) can insist.
console.log(`the list follows the service: ${api.isFresh}`);
await lists.return();
await second.crash();
await third.crash();
