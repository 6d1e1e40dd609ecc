// An election: three candidates, one leads; when it resigns the next one does. An observer that is no candidate sees each.
//
//   npm run build && node dist/examples/election.js [host:port]

import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'zabra';
import { Election } from 'zabra/recipes';

const address = process.argv[2] ?? '127.0.0.1:2181';
const PATH = '/examples/election';

async function candidate(name: string): Promise<void> {
  await using client = await connect(address);
  await using leadership = await new Election(client, PATH, { data: name }).campaign({ timeoutMs: 30_000 });
  console.log(`${name} leads`);
  await sleep(100, undefined, { signal: leadership.signal }); // the work of a leader
  console.log(`${name} resigns`);
}

await using client = await connect(address);
const watching = new AbortController();
const observer = (async () => {
  for await (const leader of new Election(client, PATH).observe({ signal: watching.signal })) {
    console.log(`observer: ${leader === null ? 'nobody leads' : `${leader.data} leads`}`);
  }
})();

await Promise.all(['ann', 'bob', 'cleo'].map(candidate));
await sleep(100);
watching.abort();
await observer.catch(() => {}); // the reason of the abort
