// What can be wrong with a configuration, said so that the reader can mend it: where it stands, which key, what is
// wrong, what to do. An error stops the start; a warning is logged and the server goes on.

/** Where a setting was written. `line` counts from 1 and is the first line of a continued one. */
export type Origin =
  | { readonly source: 'file'; readonly file: string; readonly line: number }
  | { readonly source: 'SERVER_JVMFLAGS' }
  | { readonly source: '-D' }
  | { readonly source: 'flag' };

/** `zoo.cfg:12`, `-Dzookeeper.snapCount` or `--snap-count`, to put in front of a message. */
export function describeOrigin(origin: Origin, key: string): string {
  switch (origin.source) {
    case 'file':
      return `${origin.file}:${origin.line}`;
    case 'SERVER_JVMFLAGS':
      return `SERVER_JVMFLAGS -D${key}`;
    case '-D':
      return `-D${key}`;
    case 'flag':
      return `--${key}`;
  }
}

/** Something the server can start with, and the operator should know. */
export interface ConfigWarning {
  /** note: nothing is lost by it. warning: the server does not do what the line asks for, or it looks like a mistake. */
  readonly severity: 'note' | 'warning';
  /** The option as it was written, or undefined when the warning concerns the whole. */
  readonly key: string | undefined;
  readonly origin: Origin | undefined;
  /** One sentence, without the place. */
  readonly text: string;
}

/** `zoo.cfg:12: snapCont: not an option; did you mean snapCount?` */
export function formatWarning(warning: Omit<ConfigWarning, 'severity'>): string {
  const { origin, key, text } = warning;
  const place = origin === undefined ? '' : `${describeOrigin(origin, key ?? '')}: `;
  // The place of a flag is its name already.
  const isNamed = key === undefined || (origin !== undefined && origin.source !== 'file');
  return `${place}${isNamed ? '' : `${key}: `}${text}`;
}

/** A configuration no server can be started with. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** The file it stands in, when it came from one. */
  readonly file: string | undefined;
  /** Counted from 1. */
  readonly line: number | undefined;
  readonly key: string | undefined;
  /** What was wrong. */
  readonly problem: string;
  /** What to do about it. */
  readonly remedy: string;

  constructor(facts: { origin?: Origin | undefined; key?: string | undefined; problem: string; remedy: string }) {
    const warning = { key: facts.key, origin: facts.origin, text: `${facts.problem}; ${facts.remedy}` };
    super(formatWarning(warning));
    this.file = facts.origin?.source === 'file' ? facts.origin.file : undefined;
    this.line = facts.origin?.source === 'file' ? facts.origin.line : undefined;
    this.key = facts.key;
    this.problem = facts.problem;
    this.remedy = facts.remedy;
  }
}
