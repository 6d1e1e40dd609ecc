// Counting through the loss of a server: each step is written once, although an answer may be lost with a connection.
//
//   npm run build && node dist/examples/failover.js [host:port] [steps]
//
// On an ensemble, kill the leader meanwhile, as often as you like: `node bin/zabra.js dev --servers 3` runs one, tells who
// leads, and what to give here (host:port,host:port,host:port).

import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect, ZooKeeperError } from 'zabra';

const addresses = process.argv[2] ?? '127.0.0.1:2181';
const steps = Number(process.argv[3] ?? 20);
const PATH = `/failover-${process.pid}`;

/** Sets `step` unless that has happened: a lost answer leaves open whether it has. */
async function write(client: Client, step: number): Promise<void> {
  for (;;) {
    try {
      await client.set(PATH, String(step), { version: step - 1 }); // of the step before: no step is done twice
      return;
    } catch (error) {
      // BadVersion after a lost answer: it had been written after all. Anything but a lost connection is a mistake.
      if (ZooKeeperError.is(error, 'BadVersion') && String((await client.get(PATH)).data) === String(step)) return;
      if (!ZooKeeperError.is(error, 'ConnectionLoss')) throw error;
      await sleep(20);
    }
  }
}

await using client = await connect(addresses);
client.onState(({ state }) => console.log(`  ${state}`));
await client.create(PATH, '0', { ephemeral: true });
for (let step = 1; step <= steps; step++) {
  const startMs = performance.now();
  await write(client, step);
  const tookMs = performance.now() - startMs;
  console.log(tookMs > 100 ? `step ${step}, after ${Math.round(tookMs)} ms` : `step ${step}`);
  await sleep(50);
}
const { stat } = await client.get(PATH);
console.log(`${steps} steps, written ${stat.version} times, in one session`);
