// Inside the core a result is a value; an exception means that an invariant is broken and the state can no longer be
// trusted. This is the one way to say so: whoever runs a replica stops it when an AssertionFailure gets out.

/** A broken invariant: a fault of this program, never of its input. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
}

/** Throws AssertionFailure with `message` unless the condition holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}
