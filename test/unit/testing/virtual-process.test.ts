/** Processes with the SDK in a virtual world: their clock, their network, and what becomes of them when they stop. */
import type { Client } from '../../../src/client/index.js';
import { VirtualEnsemble, VirtualProcess, VirtualWorld } from '../../../src/testing/index.js';

function scene(seed = 1) {
  const world = new VirtualWorld({ seed });
  const ensemble = new VirtualEnsemble(world, { voters: 3 });
  ensemble.start();
  ensemble.awaitWhole();
  const process = new VirtualProcess(world, ensemble.servers);
  return { world, ensemble, process };
}

/** The result of a promise, for which virtual time passes. */
async function outcome<T>(world: VirtualWorld, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settled = () => {
    isSettled = true;
  };
  promise.then(settled, settled);
  await world.passUntil(() => isSettled, 'an outcome', 60_000);
  return promise;
}

async function connected(): Promise<ReturnType<typeof scene> & { client: Client }> {
  const stage = scene();
  const client = stage.process.createClient({ sessionTimeoutMs: 2000 });
  await outcome(stage.world, client.connected());
  return { ...stage, client };
}

test('a client lives on virtual time, and the same seed gives the same run', async () => {
  const run = async (seed: number) => {
    const { world, process } = scene(seed);
    const client = process.createClient();
    await outcome(world, client.create('/a', 'x'));
    const startMs = world.nowMs;
    const rung = new Promise<number>((resolve) => client.clock.after(60_000, () => resolve(world.nowMs)));
    expect((await outcome(world, rung)) - startMs).toBe(60_000);
    const created = await outcome(world, client.create('/p-', null, { protected: true }));
    await outcome(world, client.close());
    return `${world.traceHash} ${created.path}`;
  };
  expect(await run(1)).toBe(await run(1));
  expect(await run(1)).not.toBe(await run(2));
});

test('a connection that is cut loses what is under way, and the client comes back with its session', async () => {
  const { world, process, client } = await connected();
  const { id } = client.session;
  const lost = client.create('/a');
  await world.pass(0);
  process.cut();
  await expect(outcome(world, lost)).rejects.toThrow('ConnectionLoss');
  await outcome(world, client.connected());
  expect(client.session.id).toBe(id);
});

test('nothing gets through a blocked network, in either direction, and all of it when it is open again', async () => {
  const { world, process, client } = await connected();
  process.block();
  const created = client.create('/a');
  await world.pass(500);
  expect(client.state).toBe('CONNECTED');
  process.unblock();
  await outcome(world, created);
  process.block();
  await world.pass(10_000);
  expect(client.state).toBe('LOST');
  process.unblock();
  await outcome(world, client.connected());
});

test('of several servers only the blocked ones are out of reach', async () => {
  const { world, process, client } = await connected();
  const server = Number(client.server?.slice(1, 2));
  process.block([server]);
  await outcome(
    world,
    client.create('/a', null, { timeoutMs: 30_000 }).catch(() => client.sync()),
  );
  expect(client.server).not.toContain(`s${server}:`);
});

test('a frozen process notices nothing, and when it goes on it notices all at once', async () => {
  const { world, process, client } = await connected();
  const rung: string[] = [];
  client.clock.after(100, () => rung.push('timer'));
  client.onState(({ state }) => rung.push(state));
  process.freeze();
  await world.pass(20_000);
  expect([rung, client.state]).toEqual([[], 'CONNECTED']);
  expect(client.sessionSafeForMs).toBeLessThan(0);
  process.thaw();
  await world.pass(5000);
  expect(rung[0]).toBe('timer');
  expect(rung).toContain('LOST');
});

test('of a killed process nothing runs any more, and its session expires', async () => {
  const { world, ensemble, process, client } = await connected();
  const rung: string[] = [];
  client.clock.after(100, () => rung.push('timer'));
  await outcome(world, client.create('/mine', null, { ephemeral: true }));
  process.kill();
  await world.pass(5000);
  expect(rung).toEqual([]);
  const other = new VirtualProcess(world, ensemble.servers).createClient();
  expect(await outcome(world, other.exists('/mine'))).toBeNull();
});
