// A lock: five workers, of which one at a time writes to something that must not be written to by two. The thing itself
// refuses a fencing token lower than one it has seen, so a holder that was asleep for too long does no harm.
//
//   npm run build && node dist/examples/lock.js [host:port]

import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'zabra';
import { FencedResource, Lock } from 'zabra/recipes';

const address = process.argv[2] ?? '127.0.0.1:2181';

const ledger = new FencedResource(0); // stands for a table, a file, a service: see fencedUpdate and fencingHeaders

async function worker(name: string): Promise<void> {
  await using client = await connect(address);
  const lock = new Lock(client, '/examples/lock', { data: name });
  await using held = await lock.acquire({ timeoutMs: 30_000 });
  console.log(`${name} has the lock`);
  await sleep(20, undefined, { signal: held.signal }); // real work takes the signal too, and stops when it aborts
  ledger.write(held.token, (entries) => entries + 1);
  console.log(`${name} is done`);
}

await Promise.all(['ann', 'bob', 'cleo', 'dan', 'eve'].map(worker));
console.log(`${ledger.value} entries`);
