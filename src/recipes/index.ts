// Recipes: what coordination is usually needed for, built on the public SDK only. Everything that
// `import … from 'zabra/recipes'` gives.

export type { BarrierOptions } from './barrier.js';
export { Barrier } from './barrier.js';
export type { ContenderInfo } from './contender.js';
export type { DoubleBarrierOptions } from './double-barrier.js';
export { type BarrierMember, DoubleBarrier } from './double-barrier.js';
export type { ElectionOptions } from './election.js';
export { Election, type Leadership } from './election.js';
export type { Lease } from './lease.js';
export type { LockOptions } from './lock.js';
export { Lock } from './lock.js';
export type { GuardOptions } from './session-guard.js';
export { LeaseEndedError } from './session-guard.js';
