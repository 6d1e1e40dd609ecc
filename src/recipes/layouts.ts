// How the nodes of locks and elections are named, which decides who else can stand in the same line.
//
//   lock              Curator  _c_<uuid>-lock-0000000000        kazoo  <hex>__lock__0000000000
//   read, write       Curator  …__READ__…, …__WRIT__…           kazoo  …__rlock__…, …__lock__…
//   latch election    Curator  …latch-…                         selector: as a lock     kazoo: as a lock
//   semaphore         Curator  …lock-… under locks/, …lease-… under leases/
//
// Ours bear Curator's names unless another layout is chosen. Whatever the layout, a name of either is taken for the
// contender that it is; kazoo in turn does not see Curator's names, and Curator not kazoo's.

/** Who stands in a line, and who keeps whom waiting. */
export interface Line {
  /** What their names begin with, before the number. */
  readonly kinds: readonly string[];
  /** Whether one of kind `ahead` keeps one of kind `behind` waiting. */
  bars(ahead: string, behind: string): boolean;
}

const ONE_AT_A_TIME = () => true;

/** Locks, by who else uses the same path. `curator`: InterProcessMutex; `kazoo`: kazoo's Lock. */
export type LockLayout = 'curator' | 'kazoo';

export const LOCK_KINDS = { curator: 'lock-', kazoo: '__lock__' } as const satisfies Record<LockLayout, string>;
export const LOCK_LINE: Line = { kinds: Object.values(LOCK_KINDS), bars: ONE_AT_A_TIME };

export const READ_KINDS = { curator: '__READ__', kazoo: '__rlock__' } as const satisfies Record<LockLayout, string>;
export const WRITE_KINDS = { curator: '__WRIT__', kazoo: '__lock__' } as const satisfies Record<LockLayout, string>;
const READERS: readonly string[] = Object.values(READ_KINDS);
export const READ_WRITE_LINE: Line = {
  kinds: [...READERS, ...Object.values(WRITE_KINDS)],
  bars: (ahead, behind) => !READERS.includes(ahead) || !READERS.includes(behind),
};

/** Elections. `latch`: Curator's LeaderLatch; `selector`: Curator's LeaderSelector; `kazoo`: kazoo's Election. */
export type ElectionLayout = 'latch' | 'selector' | 'kazoo';

export const ELECTION_KINDS = {
  latch: 'latch-',
  selector: LOCK_KINDS.curator,
  kazoo: LOCK_KINDS.kazoo,
} as const satisfies Record<ElectionLayout, string>;
export const ELECTION_LINE: Line = { kinds: Object.values(ELECTION_KINDS), bars: ONE_AT_A_TIME };

/** The leases of a semaphore: how many are granted is not for the line to say. */
export const SEMAPHORE_LINE: Line = { kinds: ['lease-'], bars: () => false };

/** The members of a double barrier. */
export const BARRIER_LINE: Line = { kinds: ['member-'], bars: () => false };
