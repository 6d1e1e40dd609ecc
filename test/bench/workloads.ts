/**
 * What is measured, as data: the rows of the table, and the jobs that the load generator is given. Rows that differ only
 * in the figure they show share one run.
 */
import type { Gap } from './gaps.js';

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

/** Writers and witnesses that outlive the death of a server; the cue says that it was killed. */
export interface FailoverJob {
  readonly kind: 'failover';
  /** Writers, one write in flight each. */
  readonly connections: number;
  readonly sessionTimeoutMs: number;
}

/** Sets at a steady pace, spread over the nodes of a FillJob. */
export interface PacedJob {
  readonly kind: 'paced';
  readonly connections: number;
  /** Requests of one connection that are in flight at most, whatever is due. */
  readonly window: number;
  /** Of all connections together. */
  readonly perSec: number;
  /** As many as were filled in. */
  readonly nodes: number;
  readonly dataBytes: number;
}

export type Job = Workload | FillJob | FailoverJob | PacedJob;

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
export interface Outcome extends Busy {
  /** Successful operations, events or sessions per second. */
  readonly perSec: number;
  readonly reads?: LatencyFigures;
  readonly writes?: LatencyFigures;
  readonly errors: number;
}

export interface FailoverFigures {
  /** Acknowledged writes per second before the cue. */
  readonly perSec: number;
  /** Writes that were refused with an error. */
  readonly errors: number;
  /** The longest time in which no write of any client was acknowledged. */
  readonly outageMs: number;
  /** The longest time in which one of the clients got no write acknowledged. */
  readonly worstClientMs: number;
  /** Acknowledged writes that were not there afterwards. */
  readonly writesLost: number;
  /** Of writers and witnesses. */
  readonly sessionsLost: number;
  readonly ephemeralsLost: number;
  readonly eventsLost: number;
  /** Witnesses whose one-shot watch fired more than once. */
  readonly eventsTwice: number;
}

export interface PacedFigures {
  readonly perSec: number;
  readonly errors: number;
  /** From when a request was due, so that what waits behind a pause counts too. */
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  /** The longest times between two acknowledged writes of one client, on the clock of Date.now; the longest first. */
  readonly gaps: readonly Gap[];
  /** The longest time in which the generator itself did not run. */
  readonly generatorPauses: readonly Gap[];
  /** Requests that never were sent because the server fell behind too far. */
  readonly givenUp: number;
}

/** What a job comes to. */
export type OutcomeOf<J extends Job> = J extends FailoverJob
  ? FailoverFigures & Busy
  : J extends PacedJob
    ? PacedFigures & Busy
    : Outcome;

interface Busy {
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
