// Quickstart: connect, create a node, read it, watch it change, delete it.
//
//   npm run build && node dist/examples/quickstart.js [host:port]

import { connect } from 'zabra';

await using client = await connect(process.argv[2] ?? '127.0.0.1:2181');

const { path } = await client.create('/quickstart-', 'hello', { sequential: true, ephemeral: true });
console.log(`created ${path}`);

const changed = new Promise<void>((resolve) => {
  client.get(path, { watch: () => resolve() }).then(({ data, stat }) => {
    console.log(`it holds "${data}", version ${stat.version}`);
    return client.set(path, 'hello again', { version: stat.version });
  });
});
await changed;
console.log(`it changed to "${(await client.get(path)).data}"`);

await client.delete(path);
console.log(`exists: ${(await client.exists(path)) !== null}`);
