/**
 * What is measured, as data: the rows of the table, and the jobs that the load generator is given. Rows that differ only
 * in the figure they show share one run.
 */

/** Connections keep `window` requests in flight each; replies are counted for `secs` after `warmSecs`. */
export interface ClosedLoopJob {
  readonly kind: 'get' | 'set' | 'mix' | 'createDelete';
  readonly connections: number;
  readonly window: number;
  readonly dataBytes: number;
}

/** Every connection watches one node; it is changed, and the clock stops when the last one has heard of it. */
export interface FanOutJob {
  readonly kind: 'fanOut';
  readonly connections: number;
}

/** Sessions are opened from nothing, `window` at a time, until there are `connections`. */
export interface OpeningsJob {
  readonly kind: 'openings';
  readonly connections: number;
  readonly window: number;
}

/** Creates `nodes` znodes, 1000 to a parent, as fast as the server takes them. */
export interface FillJob {
  readonly kind: 'fill';
  readonly nodes: number;
  readonly dataBytes: number;
}

export type Workload = ClosedLoopJob | FanOutJob | OpeningsJob;

export interface Timing {
  readonly secs: number;
  readonly warmSecs: number;
}

export interface LatencyFigures {
  readonly perSec: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** What a job comes to. Figures of what did not occur are absent. */
export interface Outcome {
  /** Successful operations, events or sessions per second. */
  readonly perSec: number;
  readonly reads?: LatencyFigures;
  readonly writes?: LatencyFigures;
  readonly errors: number;
  /** Share of the time in which the generator itself was working, 0 to 1: near 1, it was measured, not the server. */
  readonly generatorBusy: number;
}

export interface Row {
  readonly name: string;
  readonly unit: '/s' | 'µs';
  readonly workload: Workload;
  readonly figure: (outcome: Outcome) => number | undefined;
}

const DATA_BYTES = 100;

const get = (connections: number, window: number) => loop('get', connections, window);
const set = (connections: number, window: number, dataBytes = DATA_BYTES) =>
  loop('set', connections, window, dataBytes);

function loop(kind: ClosedLoopJob['kind'], connections: number, window: number, dataBytes = DATA_BYTES): ClosedLoopJob {
  return { kind, connections, window, dataBytes };
}

const SET_100 = set(100, 1);
const MIX = loop('mix', 20, 16);
const perSec = (outcome: Outcome) => outcome.perSec;

export const ROWS: readonly Row[] = [
  { name: 'get 8x64', unit: '/s', workload: get(8, 64), figure: perSec },
  { name: 'get 100x1', unit: '/s', workload: get(100, 1), figure: perSec },
  { name: 'get 1x1 p50', unit: 'µs', workload: get(1, 1), figure: ({ reads }) => reads?.p50Us },
  { name: 'set 8x64', unit: '/s', workload: set(8, 64), figure: perSec },
  { name: 'set 100x1', unit: '/s', workload: SET_100, figure: perSec },
  { name: 'set 100x1 p99', unit: 'µs', workload: SET_100, figure: ({ writes }) => writes?.p99Us },
  { name: 'set 1x1 p50', unit: 'µs', workload: set(1, 1), figure: ({ writes }) => writes?.p50Us },
  { name: 'set 1 KiB 8x64', unit: '/s', workload: set(8, 64, 1024), figure: perSec },
  { name: 'mix 90/10 20x16', unit: '/s', workload: MIX, figure: perSec },
  { name: 'mix 90/10 read p99', unit: 'µs', workload: MIX, figure: ({ reads }) => reads?.p99Us },
  { name: 'create+delete 8x32', unit: '/s', workload: loop('createDelete', 8, 32), figure: perSec },
  { name: 'event to 500 watchers', unit: '/s', workload: { kind: 'fanOut', connections: 500 }, figure: perSec },
  {
    name: 'sessions opened',
    unit: '/s',
    workload: { kind: 'openings', connections: 2000, window: 64 },
    figure: perSec,
  },
];

/** The load that brings both servers up to speed before anything is measured. */
export const WARM_UP: ClosedLoopJob = loop('mix', 8, 16);
