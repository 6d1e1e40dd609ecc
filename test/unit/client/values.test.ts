// What users write and read: errors, kinds of nodes, names of protected nodes, queues of events.

import { AsyncQueue } from '../../../src/client/async-queue.js';
import { errorOfCode, ZooKeeperError } from '../../../src/client/errors.js';
import { createProtected, protectedPath, unprotectedName } from '../../../src/client/protected-create.js';
import { nodeKind } from '../../../src/client/types.js';

describe('errors', () => {
  test('say in a sentence what failed and why', () => {
    expect(errorOfCode(-101, { operation: 'get', path: '/a' }).message).toBe(
      'get of /a failed: the node does not exist (NoNode)',
    );
    expect(new ZooKeeperError('ConnectionLoss', { operation: 'set', path: '/a', maybeApplied: true }).message).toBe(
      'set of /a failed: the connection was lost before the answer came, and the write may have been applied (ConnectionLoss)',
    );
    expect(errorOfCode(-102, { operation: 'check', path: '/b', operationIndex: 2 }).message).toContain(
      'operation 2 of the transaction',
    );
  });

  test('carry what a program decides by', () => {
    expect(errorOfCode(-127, {})).toMatchObject({ name: 'ThrottledOp', code: -127, retryable: true, path: null });
    expect(errorOfCode(-9999, {})).toMatchObject({ name: 'UnknownError', code: -9999, retryable: false });
    expect(new ZooKeeperError('ClientClosed')).toMatchObject({ code: -112, retryable: false });
    expect(ZooKeeperError.is(errorOfCode(-101, {}), 'NodeExists', 'NoNode')).toBe(true);
    expect(ZooKeeperError.is(errorOfCode(-101, {}), 'NodeExists')).toBe(false);
  });
});

describe('kinds of nodes (E34)', () => {
  test.each([
    [{}, 'create2', 0],
    [{ ephemeral: true }, 'create2', 1],
    [{ mode: 'persistent-sequential' }, 'create2', 2],
    [{ sequential: true, ephemeral: true }, 'create2', 3],
    [{ mode: 'ephemeral', sequential: true }, 'create2', 3],
    [{ container: true }, 'createContainer', 4],
    [{ ttlMs: 1 }, 'createTTL', 5],
    [{ mode: 'ttl-sequential', ttlMs: 5 }, 'createTTL', 6],
  ] as const)('%j', (options, operation, flags) => {
    expect(nodeKind(options)).toMatchObject({ operation, flags });
  });

  test.each([
    { ephemeral: true, container: true },
    { ephemeral: true, ttlMs: 5 },
    { mode: 'persistent', ephemeral: true },
    { container: true, sequential: true },
    { mode: 'ttl' },
    { ttlMs: 0 },
    { ttlMs: 1.5 },
    { ttlMs: 2 ** 40 },
  ] as const)('%j contradicts itself', (options) => {
    expect(typeof nodeKind(options)).toBe('string');
  });
});

const stat = { czxid: 1n } as never;

describe('protected create', () => {
  const path = protectedPath('/locks/lock-', '01234567-89ab-cdef-0123-456789abcdef');
  const name = '_c_01234567-89ab-cdef-0123-456789abcdef-lock-';
  const lost = () => Promise.reject(new ZooKeeperError('ConnectionLoss', { maybeApplied: true }));

  test('has a name by which it is found again', () => {
    expect(path).toBe(`/locks/${name}`);
    expect(unprotectedName(`${name}0000000007`)).toBe('lock-0000000007');
    expect(unprotectedName('plain')).toBe('plain');
  });

  function host(creates: (() => Promise<never>)[], children: string[], syncs: (() => Promise<never>)[] = []) {
    const calls: string[] = [];
    const sync = (call: string) => {
      calls.push(call);
      return syncs.shift()?.() ?? Promise.resolve();
    };
    return {
      calls,
      callersPath: '/locks/lock-',
      signal: undefined,
      create: (at: string) => {
        calls.push('create');
        const step = creates.shift();
        return step === undefined ? Promise.resolve({ path: `${at}0000000009`, stat }) : step();
      },
      sync: () => sync('sync'),
      children: async () => children,
      exists: async () => stat,
      unhurried: {
        signal: undefined,
        isClosed: () => false,
        sync: () => sync('sync later'),
        children: async () => children,
        exists: async () => stat,
        delete: async (at: string) => {
          calls.push(`delete ${at}`);
        },
      },
    };
  }

  test('finds what was created before the answer was lost', async () => {
    const parent = host([lost], ['other', `${name}0000000007`]);
    await expect(createProtected(path, parent)).resolves.toEqual({ path: `/locks/${name}0000000007`, stat });
    expect(parent.calls).toEqual(['create', 'sync']);
  });

  test('creates again when nothing was created, and passes other errors on', async () => {
    const parent = host([lost], ['other']);
    await expect(createProtected(path, parent)).resolves.toMatchObject({ path: `${path}0000000009` });
    expect(parent.calls).toEqual(['create', 'sync', 'create']);
    const refusing = host([() => Promise.reject(new ZooKeeperError('NoAuth'))], []);
    await expect(createProtected(path, refusing)).rejects.toMatchObject({ name: 'NoAuth' });
    expect(refusing.calls).toEqual(['create']);
  });

  test.each([new ZooKeeperError('RequestTimeout', { operation: 'create', maybeApplied: true }), new Error('aborted')])(
    'given up with %s, it leaves no node behind',
    async (error) => {
      const parent = host([() => Promise.reject(error)], [`${name}0000000007`]);
      await expect(createProtected(path, parent)).rejects.toBe(error);
      await new Promise(setImmediate);
      expect(parent.calls).toEqual(['create', 'sync later', `delete /locks/${name}0000000007`]);
    },
  );
});

describe('a protected create that does not learn what came of it', () => {
  const path = '/jobs/_c_x-job-';
  const lost = () => Promise.reject(new ZooKeeperError('ConnectionLoss', { operation: 'create', maybeApplied: true }));
  const expired = () => Promise.reject(new ZooKeeperError('SessionExpired', { operation: 'sync', path: '/jobs' }));

  function host(syncs: (() => Promise<unknown>)[], children: () => Promise<string[]>) {
    const deleted: string[] = [];
    const finder = {
      sync: () => syncs.shift()?.() ?? Promise.resolve(),
      children,
      exists: async () => stat,
      signal: undefined,
    };
    const unhurried = { ...finder, isClosed: () => false, delete: async (at: string) => void deleted.push(at) };
    return { deleted, callersPath: '/jobs/job-', create: lost, ...finder, unhurried };
  }

  test('since the session is lost, too: the next session deletes what may be a persistent node', async () => {
    const jobs = host([expired, expired], async () => ['_c_x-job-7']);
    await expect(createProtected(path, jobs)).rejects.toMatchObject({
      name: 'SessionExpired',
      operation: 'create',
      path: '/jobs/job-',
      maybeApplied: true,
    });
    await new Promise(setImmediate);
    expect(jobs.deleted).toEqual(['/jobs/_c_x-job-7']);
  });

  test('creates again, and hears the truth, when even the parent is gone', async () => {
    const gone = new ZooKeeperError('NoNode', { operation: 'create', path: '/jobs/job-' });
    const answers = [lost, () => Promise.reject(gone)];
    const jobs = {
      ...host([], () => Promise.reject(new ZooKeeperError('NoNode', { operation: 'children', path: '/jobs' }))),
      create: () => answers.shift()?.() ?? lost(),
    };
    await expect(createProtected(path, jobs)).rejects.toBe(gone);
  });

  test('aborts with a ConnectionLoss as the reason, and does not take it for its own', async () => {
    const reason = new ZooKeeperError('ConnectionLoss');
    const jobs = { ...host([], async () => ['_c_x-job-7']), signal: AbortSignal.abort(reason) };
    await expect(createProtected(path, { ...jobs, create: () => Promise.reject(reason) })).rejects.toBe(reason);
    await new Promise(setImmediate);
    expect(jobs.deleted).toEqual(['/jobs/_c_x-job-7']);
  });
});

describe('async queues', () => {
  test('items wait for a reader and a reader for items; the end comes last', async () => {
    const queue = new AsyncQueue<number>(10);
    queue.push(1);
    queue.push(2);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const item of queue) seen.push(item);
    })();
    await Promise.resolve();
    queue.push(3);
    queue.end();
    queue.push(4);
    await reading;
    expect(seen).toEqual([1, 2, 3]);
  });

  test('what a slow reader loses is marked where it is missing', async () => {
    const queue = new AsyncQueue<string>(
      2,
      () => {},
      () => 'gap',
    );
    for (const item of ['a', 'b', 'c', 'd']) queue.push(item);
    expect((await queue.next()).value).toBe('a');
    queue.push('e'); // still behind the gap
    expect((await queue.next()).value).toBe('b');
    expect((await queue.next()).value).toBe('gap');
    queue.push('f');
    expect((await queue.next()).value).toBe('f');
  });

  test('an error ends it once; return() tells the producer once', async () => {
    let returned = 0;
    const queue = new AsyncQueue<number>(2, () => returned++);
    const waiting = queue.next();
    queue.end(new Error('broken'));
    await expect(waiting).rejects.toThrow('broken');
    expect(await queue.next()).toEqual({ value: undefined, done: true });
    await queue.return();
    expect(returned).toBe(1);
  });
});
