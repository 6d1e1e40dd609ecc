// Barriers: nobody starts before the gate is opened; then three workers do two rounds, beginning and ending each together.
//
//   npm run build && node dist/examples/barrier.js [host:port]

import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'zabra';
import { Barrier, DoubleBarrier } from 'zabra/recipes';

const address = process.argv[2] ?? '127.0.0.1:2181';
const WORKERS = 3;

async function worker(number: number): Promise<void> {
  await using client = await connect(address);
  await new Barrier(client, '/examples/gate').wait({ timeoutMs: 30_000 });
  const barrier = new DoubleBarrier(client, '/examples/rounds', WORKERS);
  for (const round of [1, 2]) {
    const member = await barrier.enter({ timeoutMs: 30_000 });
    console.log(`worker ${number} begins round ${round}`);
    await sleep(number * 30, undefined, { signal: member.signal }); // some are faster than others
    await member.leave();
  }
}

await using client = await connect(address);
const gate = new Barrier(client, '/examples/gate');
await gate.close();
const workers = Array.from({ length: WORKERS }, (_, i) => worker(i + 1));
await sleep(100);
console.log('the gate opens');
await gate.open();
await Promise.all(workers);
console.log('all rounds are done');
