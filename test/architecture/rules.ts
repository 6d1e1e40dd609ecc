// Who may import whom, and where each npm package lives: the walls of the house, each with its reason. TypeScript's
// project references hold most of them already; this list is complete, and says why.

export interface LayerRule {
  /** Path prefix of the files the rule is about. */
  readonly layer: string;
  /** Path prefixes they may import from, beside their own. */
  readonly mayImport: readonly string[];
  /** npm packages and Node modules they may use; 'node:*' stands for all of Node's. */
  readonly mayUse: readonly string[];
  readonly reason: string;
}

/** The first rule whose layer is a prefix of a file's path is the one that counts: put inner layers first. */
export const LAYERS: readonly LayerRule[] = [
  {
    layer: 'protocol/peer/',
    mayImport: ['protocol/'],
    mayUse: ['msgpackr'],
    reason: 'the one home of msgpackr: what both ends write themselves is encoded here and nowhere else',
  },
  {
    layer: 'protocol/',
    mayImport: ['protocol/'],
    mayUse: [],
    reason: 'client and server share the wire and nothing else, so the wire may know neither of them',
  },
  {
    layer: 'src/std/',
    mayImport: [],
    mayUse: [],
    reason: 'small general tools: whatever they knew, everybody would know',
  },
  {
    layer: 'src/core/zab/',
    mayImport: ['protocol/', 'src/std/'],
    mayUse: [],
    reason: 'agreement on an order of entries must not depend on what the entries mean: zab knows no znode',
  },
  {
    layer: 'src/core/',
    mayImport: ['protocol/', 'src/std/', 'src/core/zab/'],
    mayUse: [],
    reason: 'the core is deterministic: without Node it has no clock, socket, timer or randomness to be tempted by',
  },
  {
    layer: 'src/client/',
    mayImport: ['protocol/', 'src/std/'],
    mayUse: ['node:*'],
    reason: 'an application that imports the SDK gets no server, no native code and no npm package with it',
  },
  {
    layer: 'src/recipes/',
    mayImport: ['src/client/index'],
    mayUse: ['node:*'],
    reason: 'recipes show that the public SDK is enough; what they need and cannot have is missing in the SDK',
  },
  {
    layer: 'src/server/storage/',
    mayImport: ['src/std/'],
    mayUse: ['node:*', 'better-sqlite3'],
    reason: 'the one home of better-sqlite3: storage sees numbers and bytes, not what they mean',
  },
  {
    layer: 'src/server/logging',
    mayImport: [],
    mayUse: ['node:*', 'winston'],
    reason: 'the one home of winston: everybody else logs through the Logger interface',
  },
  {
    layer: 'src/server/',
    mayImport: ['protocol/', 'src/std/', 'src/core/'],
    mayUse: ['node:*'],
    reason: 'the shell around the core: sockets, disk and clock, but no client',
  },
  {
    layer: 'src/testing/',
    mayImport: ['protocol/', 'src/std/', 'src/core/', 'src/client/', 'src/server/'],
    mayUse: ['node:*'],
    reason: 'drives whole servers and clients in one process, so it may know both',
  },
  {
    layer: 'src/cli/',
    mayImport: ['src/client/', 'src/recipes/', 'src/server/', 'protocol/'],
    mayUse: ['node:*', 'yargs'],
    reason: 'the one home of yargs; a shell for both sides',
  },
];

/** Words that must not stand in the code (comments aside) of the pure layers, with the reason. */
export const PURE_LAYERS = ['protocol/', 'src/std/', 'src/core/'] as const;
export const IMPURITIES: readonly { readonly pattern: RegExp; readonly reason: string }[] = [
  { pattern: /\bDate\b/, reason: 'time comes in as an input' },
  { pattern: /\bMath\.random\b/, reason: 'randomness is seeded, or comes in as an input' },
  { pattern: /\bset(Timeout|Interval|Immediate)\b/, reason: 'timers are effects' },
  { pattern: /\b(async|await|Promise)\b/, reason: 'a completion comes back as an input' },
  { pattern: /\bprocess\./, reason: 'the environment is handed in' },
  { pattern: /\bLocale|localeCompare|Intl\b/, reason: 'no result may depend on a locale' },
];

/** Words that must not stand in any source file (comments aside), with the reason. */
export const FORBIDDEN: readonly { readonly pattern: RegExp; readonly reason: string }[] = [
  { pattern: /\beval\s*\(|\bnew Function\b|\bFunction\s*\(|node:vm\b/, reason: 'text never becomes code' },
  { pattern: /\bchild_process\b.*\bexec\b|\bshell:\s*true\b/, reason: 'no text goes through a shell' },
  { pattern: /rejectUnauthorized:\s*false/, reason: 'certificates are checked; who turns it off says why below' },
];

/** Where a forbidden word is right, with the reason. */
export const EXCEPTIONS: Readonly<Record<string, string>> = {
  'src/server/peers/tls-sockets.ts': 'who is turned away is told so: `objection` rejects, before a byte is read',
};

/** No source file is longer than this, tables of data aside. */
export const LINES_MAX = 500;
