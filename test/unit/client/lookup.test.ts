// Addresses of one name: asked for anew each time, in an order of chance, in both shapes that Node asks for.

import type { lookup as systemLookup } from 'node:dns';
import { shuffledLookup } from '../../../src/client/lookup.js';

const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((address) => ({ address, family: 4 }));

function resolver(answers: unknown[]) {
  const asked: unknown[] = [];
  const lookup = ((name: string, options: unknown, callback: (error: unknown, found: unknown) => void) => {
    asked.push({ name, options });
    const answer = answers.shift();
    if (answer instanceof Error) callback(answer, []);
    else callback(null, answer);
  }) as unknown as typeof systemLookup;
  return { lookup, asked };
}

function ask(lookup: ReturnType<typeof shuffledLookup>, all: boolean): Promise<unknown> {
  return new Promise((resolve) =>
    lookup('zk', { all }, (error, address, family) => resolve(error ?? (all ? address : [address, family]))),
  );
}

test('every attempt asks again, and tries the addresses in another order', async () => {
  const { lookup, asked } = resolver([ADDRESSES, ADDRESSES, [{ address: '10.0.0.9', family: 4 }]]);
  const order = [0.9, 0.5, 0.1, 0.1, 0.9, 0.5, 0];
  const shuffled = shuffledLookup(lookup, () => order.shift() ?? 0);
  expect(await ask(shuffled, true)).toEqual([ADDRESSES[2], ADDRESSES[1], ADDRESSES[0]]);
  expect(await ask(shuffled, true)).toEqual([ADDRESSES[0], ADDRESSES[2], ADDRESSES[1]]);
  expect(await ask(shuffled, false)).toEqual(['10.0.0.9', 4]);
  expect(asked).toEqual(Array(3).fill({ name: 'zk', options: { all: true } }));
});

test('a name that is not known is an error', async () => {
  const { lookup } = resolver([new Error('ENOTFOUND')]);
  expect(await ask(shuffledLookup(lookup), true)).toEqual(new Error('ENOTFOUND'));
});
