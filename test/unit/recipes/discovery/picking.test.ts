import { Picker } from '../../../../src/recipes/discovery/picking.js';
import type { ServiceInstance } from '../../../../src/recipes/index.js';

const instance = (id: string, load = 0): ServiceInstance => ({
  ...{ name: 's', id, address: id, port: null, sslPort: null, metadata: null },
  ...{ health: 'up', load },
});
const many = (count: number) => Array.from({ length: count }, (_, i) => instance(`i${i}`));

test('round-robin takes one after the other, also when instances come and go', () => {
  const picker = new Picker(() => 0);
  const next = (instances: ServiceInstance[]) => picker.pick(instances, 'round-robin', '')?.id;
  const [a, b, c] = [instance('a'), instance('b'), instance('c')];
  expect([next([a, b, c]), next([a, b, c]), next([a, c]), next([a, b, c]), next([b, c]), next([])]).toEqual([
    ...['a', 'b', 'c', 'a', 'b'],
    undefined,
  ]);
});

test('random goes by the generator that it was given', () => {
  const numbers = [0.99, 0, 0.5];
  const picker = new Picker(() => numbers.shift() ?? 0);
  expect([1, 2, 3].map(() => picker.pick(many(3), 'random', '')?.id)).toEqual(['i2', 'i0', 'i1']);
});

test('sticky stays with an instance, moves only what has to move, and spreads keys evenly', () => {
  const picker = new Picker(() => 0);
  const keys = Array.from({ length: 2000 }, (_, i) => `user-${i}`);
  const where = (instances: ServiceInstance[]) => keys.map((key) => picker.pick(instances, 'sticky', key)?.id);
  const before = where(many(10));
  expect(where(many(10).reverse())).toEqual(before);
  const without = where(many(10).filter(({ id }) => id !== 'i3'));
  for (let i = 0; i < keys.length; i++) if (before[i] !== 'i3') expect(without[i]).toBe(before[i]);
  for (const { id } of many(10)) {
    const share = before.filter((each) => each === id).length;
    expect(share).toBeGreaterThan(140);
    expect(share).toBeLessThan(260);
  }
});

test('least-loaded goes by the work under way, then by the load that is reported, then in turn', () => {
  const picker = new Picker(() => 0);
  const instances = [instance('a', 5), instance('b', 1), instance('c', 1)];
  const next = () => picker.pick(instances, 'least-loaded', '')?.id;
  expect([next(), next(), next()]).toEqual(['b', 'c', 'b']);
  const doneB = picker.use('b');
  const doneC = picker.use('c');
  expect(next()).toBe('a');
  const doneA = picker.use('a');
  expect(['b', 'c']).toContain(next());
  doneC();
  expect(next()).toBe('c');
  doneB();
  doneA();
});
