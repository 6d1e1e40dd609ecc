/** All workloads, in the order of the table of results. */
import { durability } from './durability.js';
import { ephemerals } from './ephemerals.js';
import { locks } from './locks.js';
import { reads } from './reads.js';
import { register } from './register.js';
import { sequences } from './sequences.js';
import { transfers } from './transfers.js';
import { watches } from './watches.js';
import type { Workload } from './workload.js';

export const WORKLOADS: readonly Workload[] = [
  register,
  reads,
  locks,
  ephemerals,
  sequences,
  watches,
  transfers,
  durability,
];
