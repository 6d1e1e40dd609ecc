/**
 * Whether there is one order of the operations on a single object in which each takes effect at some moment between its
 * question and its answer, and has the answer it got: the search of Wing and Gong (JPDC 1993) with Lowe's memory (2017):
 * a set of operations that led to a state already looked at need not be looked at again.
 *
 * An operation without an answer may take effect at any moment after its question, or never. Leaves out how objects hang
 * together: linearizability is a property of each object by itself (Herlihy and Wing).
 */
import type { Operation } from './history.js';

/** What an object does, as a value. */
export interface Model<State> {
  readonly initial: State;
  /** The state after the operation; undefined when it cannot have had that outcome in this state. */
  apply(state: State, operation: Operation): State | undefined;
  /** Whether the operation can have had its outcome neither in this state nor in any that can follow. */
  isTooLate(state: State, operation: Operation): boolean;
  /** Equal for equal states only. */
  nameOf(state: State): string;
}

/** One end of an operation, in a doubly linked list in the order of time. */
interface Entry {
  readonly index: number;
  readonly operation: Operation;
  /** The entry of the answer; null when this is the answer. */
  readonly answer: Entry | null;
  previous: Entry | null;
  next: Entry | null;
}

export interface Verdict {
  readonly isLinearizable: boolean;
  /** The most operations that could be put in order, and the answers that none of the orders could explain. */
  readonly explained: number;
  readonly stuckAt: readonly Operation[];
}

/** More than this are not looked at. */
const STATES_MAX = 1_000_000;

/** Throws Error when it cannot be decided within reason. */
export function checkLinearizable<State>(operations: readonly Operation[], model: Model<State>): Verdict {
  const known = operations.filter(({ outcome }) => outcome !== 'failed');
  const head = link(known);
  const answered = known.filter(({ outcome }) => outcome === 'ok').length;
  const taken = new Bits(known.length);
  const seen = new Set<string>();
  const steps: { entry: Entry; before: State; isAnswered: boolean }[] = [];
  let state = model.initial;
  let answeredTaken = 0;
  let best = { answered: -1, explained: 0, stuckAt: [] as Operation[] };
  let entry: Entry | null = head.next;
  while (answeredTaken < answered) {
    if (entry !== null && entry.answer !== null) {
      const { operation, index } = entry;
      const after = model.apply(state, operation);
      if (after !== undefined) {
        taken.add(index);
        const name = `${taken.text} ${model.nameOf(after)}`;
        if (!seen.has(name)) {
          seen.add(name);
          if (seen.size > STATES_MAX) throw new Error(`undecided after ${STATES_MAX} states`);
          const isAnswered = operation.outcome === 'ok';
          steps.push({ entry, before: state, isAnswered });
          state = after;
          if (isAnswered) answeredTaken++;
          lift(entry);
          const due = firstAnswer(head);
          // Lost answers leave a choice at every step, and few of their orders leave room for the next answer.
          entry = due !== null && model.isTooLate(state, due.operation) ? due : head.next;
          continue;
        }
        taken.remove(index);
      }
      entry = entry.next;
      continue;
    }
    // An answer that nothing can be put before any more, or the end of all: what was chosen last was wrong.
    if (answeredTaken > best.answered) {
      best = { answered: answeredTaken, explained: steps.length, stuckAt: open(head.next, entry) };
    }
    const step = steps.pop();
    if (step === undefined) return { isLinearizable: false, explained: best.explained, stuckAt: best.stuckAt };
    state = step.before;
    taken.remove(step.entry.index);
    if (step.isAnswered) answeredTaken--;
    unlift(step.entry);
    entry = step.entry.next;
  }
  return { isLinearizable: true, explained: steps.length, stuckAt: [] };
}

function firstAnswer(head: Entry): Entry | null {
  let entry = head.next;
  while (entry !== null && entry.answer !== null) entry = entry.next;
  return entry;
}

function link(operations: readonly Operation[]): Entry {
  const ends = operations.flatMap((operation, index) => {
    const isAnswered = operation.outcome === 'ok';
    const answer: Entry = { index, operation, answer: null, previous: null, next: null };
    const question: Entry = { index, operation, answer, previous: null, next: null };
    // Without an answer nothing ever has to wait for it.
    const answeredMs = isAnswered ? operation.endMs : Number.POSITIVE_INFINITY;
    return [
      { ms: operation.startMs, isAnswer: 0, entry: question },
      { ms: answeredMs, isAnswer: 1, entry: answer },
    ];
  });
  // At the same moment questions go first: then the two may have happened at the same time.
  ends.sort((a, b) => (a.ms === b.ms ? a.isAnswer - b.isAnswer : a.ms - b.ms));
  const nobody: Operation = { workload: '', process: 0, name: '', key: '', startMs: 0, endMs: 0, outcome: 'ok' };
  const head: Entry = { index: -1, operation: nobody, answer: null, previous: null, next: null };
  let last = head;
  for (const { entry } of ends) {
    last.next = entry;
    entry.previous = last;
    last = entry;
  }
  return head;
}

/** Takes both ends of an operation out of the list. */
function lift(entry: Entry): void {
  for (const end of [entry, entry.answer as Entry]) {
    (end.previous as Entry).next = end.next;
    if (end.next !== null) end.next.previous = end.previous;
  }
}

/** Puts them back, in the opposite order. */
function unlift(entry: Entry): void {
  for (const end of [entry.answer as Entry, entry]) {
    (end.previous as Entry).next = end;
    if (end.next !== null) end.next.previous = end;
  }
}

/** The operations that were asked for, and not put in order, when `until` was answered. */
function open(first: Entry | null, until: Entry | null): Operation[] {
  const found: Operation[] = [];
  for (let entry = first; entry !== null && entry !== until; entry = entry.next) found.push(entry.operation);
  return found;
}

/** A set of small numbers with a name. */
class Bits {
  private readonly words: Uint32Array;

  constructor(size: number) {
    this.words = new Uint32Array(Math.ceil(size / 32));
  }

  add(index: number): void {
    this.words[index >>> 5] |= 1 << (index & 31);
  }

  remove(index: number): void {
    this.words[index >>> 5] &= ~(1 << (index & 31));
  }

  get text(): string {
    return String.fromCharCode(...new Uint16Array(this.words.buffer));
  }
}
