/**
 * Servers, clients and recipes that are broken on purpose, each in one way in which somebody could break them: the
 * simulation has to notice.
 * A mutant is a copy of the compiled program in which a few places read otherwise; it is run as a process of its own.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Edit {
  /** Under dist/src. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Servers with a vote, where more than three are needed. */
  readonly servers?: number;
  /** The recipe by which it is to be noticed; the simulation of servers if there is none. */
  readonly recipe?: string;
}

export interface Verdict {
  readonly mutant: string;
  /** What the simulation found, or null. */
  readonly violation: string | null;
  /** The seed that showed it, counted from the first. */
  readonly seeds: number;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a learner acknowledges before its disk has the batch',
    edits: [
      {
        file: 'core/zab/learner.js',
        find: 'context.surroundings.append(firstZxid, last, bytes);',
        replace: "context.surroundings.append(firstZxid, last, bytes); this.send({ type: 'ack', zxid: last });",
      },
    ],
  },
  {
    name: 'a learner answers NEWLEADER before its disk has the history',
    edits: [
      {
        file: 'core/zab/learner.js',
        find: 'context.adoptEpoch(epoch);',
        replace: 'context.adoptEpoch(epoch); this.epochsStored(context.acceptedEpoch, epoch);',
      },
    ],
  },
  {
    name: 'the leader counts itself before its disk has the batch',
    edits: [
      {
        file: 'core/zab/leader.js',
        find: 'surroundings.append(batch.firstZxid, last, bytes);',
        replace: 'surroundings.append(batch.firstZxid, last, bytes); this.stored(last);',
      },
    ],
  },
  {
    name: 'a third of the voters is a quorum',
    edits: [{ file: 'core/zab/quorum.js', find: '* 2 > total', replace: '* 3 >= total' }],
  },
  {
    name: 'a learner executes what is not committed',
    edits: [
      {
        file: 'core/zab/learner.js',
        find: 'Math.min(this.committed, this.context.storedZxid)',
        replace: 'this.context.storedZxid',
      },
    ],
  },
  {
    name: 'a restart executes all of the log',
    edits: [{ file: 'core/replica.js', find: 'if (isAlone)', replace: 'if (isAlone || true)' }],
  },
  {
    name: 'a leader takes an epoch that others have accepted before',
    edits: [
      {
        file: 'core/zab/learner.js',
        find: 'this.counts = epoch > context.acceptedEpoch;',
        replace: 'this.counts = true;',
      },
      {
        file: 'core/zab/leader.js',
        find: 'return acceptedEpoch + 1;',
        replace: 'return Math.max(1, acceptedEpoch);',
      },
    ],
  },
  {
    name: 'who has the shorter history is elected and leads',
    edits: [
      { file: 'core/zab/election.js', find: 'return a.zxid > b.zxid;', replace: 'return a.zxid < b.zxid;' },
      { file: 'core/zab/leader.js', find: "if (phase === 'opening' && isNewer", replace: 'if (false && isNewer' },
    ],
  },
  {
    name: 'a learner cuts its log in memory only',
    edits: [
      {
        file: 'core/zab/learner.js',
        find: 'surroundings.truncate(afterZxid);',
        replace: 'this.truncated(afterZxid);',
      },
    ],
  },
  {
    name: 'the leader does not cut the learner\u2019s log',
    edits: [{ file: 'core/zab/learner-handler.js', find: 'if (truncate) {', replace: 'if (false) {' }],
  },
  {
    name: 'what learners hear of sessions is ignored',
    edits: [
      {
        file: 'core/relay.js',
        find: 'if (this.owners.get(session)?.server === learner)',
        replace: 'if (this.owners.get(session)?.server === -1)',
      },
    ],
  },
  {
    name: 'a server that lags answers a client that has seen more',
    edits: [
      { file: 'core/pipeline/openings.js', find: 'if (lastZxidSeen > appliedZxid)', replace: 'if (false)' },
      {
        file: 'core/pipeline/openings.js',
        find: 'if (zxid > this.upstream.appliedZxid)',
        replace: 'if (zxid === Number.POSITIVE_INFINITY)',
      },
    ],
  },
  {
    name: 'a read does not wait for the writes before it',
    edits: [{ file: 'core/pipeline/order.js', find: 'connection.lane.length === 0 && !isSync', replace: '!isSync' }],
  },
  {
    name: 'a server that has lost its leader goes on serving',
    edits: [{ file: 'core/replica.js', find: 'this.clients.closeAll(reason);', replace: '' }],
  },
  {
    name: 'a watch that comes back is not told what it has missed',
    edits: [
      {
        file: 'core/watches/resume.js',
        find: 'deliver(watcher, EventType.nodeDataChanged, path);',
        replace: 'table.addData(path, watcher);',
      },
    ],
  },
  {
    name: 'a client does not bring its watches along when it comes back',
    edits: [
      {
        file: 'client/session-machine.js',
        find: 'writeWatches(this.#writer, this.watches, this.#lastZxid);',
        replace: '',
      },
    ],
  },
  {
    name: 'a client takes any packet for a proof that its session lives',
    edits: [
      {
        file: 'client/vital-signs.js',
        find: 'return this.#provenMs + this.timeoutMs;',
        replace: 'return this.heardMs + this.timeoutMs;',
      },
    ],
  },
  {
    name: 'a lock does not wait for the nearest one before it',
    recipe: 'lock',
    edits: [
      {
        file: 'recipes/contender.js',
        find: 'contestants.slice(0, own)',
        replace: 'contestants.slice(0, Math.max(0, own - 1))',
      },
    ],
  },
  {
    name: 'a lease is taken for held until the client hears of the loss',
    recipe: 'lock',
    edits: [
      {
        file: 'recipes/session-guard.js',
        find: 'return client.session.id === sessionId ? client.sessionSafeForMs : 0;',
        replace: 'return client.session.id === sessionId ? client.session.timeoutMs : 0;',
      },
    ],
  },
  {
    name: 'a writer does not wait for the readers before it',
    recipe: 'read-write-lock',
    edits: [
      {
        file: 'recipes/layouts.js',
        find: '!READERS.includes(ahead) || !READERS.includes(behind)',
        replace: '!READERS.includes(ahead)',
      },
    ],
  },
  {
    name: 'a protected create is made again without a look',
    recipe: 'protected-create',
    edits: [
      {
        file: 'client/protected-create.js',
        find: 'isInDoubt = isAborted || error.maybeApplied;',
        replace: "isInDoubt = isAborted || error.maybeApplied; if (error.name === 'ConnectionLoss') continue;",
      },
    ],
  },
  {
    name: 'an addition whose answer was lost is made again',
    recipe: 'counter',
    edits: [
      {
        file: 'recipes/once.js',
        find: "if (isInDoubt && error.name === 'BadVersion') {",
        replace: 'if (false) {',
      },
      {
        file: 'recipes/once.js',
        find: "if (isInDoubt)\n                        throw inDoubt(error, 'SessionExpired');",
        replace: '',
      },
    ],
  },
  {
    name: 'an item is taken without a claim that ends with the session',
    recipe: 'queue',
    edits: [{ file: 'recipes/queue/line.js', find: "mode: 'ephemeral', acl", replace: "mode: 'persistent', acl" }],
  },
  {
    name: 'a round begins with one member too few',
    recipe: 'double-barrier',
    edits: [
      {
        file: 'recipes/double-barrier.js',
        find: 'if (waiting.length < this.#size)',
        replace: 'if (waiting.length < this.#size - 1)',
      },
    ],
  },
  {
    name: 'a cache does not look again when its connection was away',
    recipe: 'tree-cache',
    edits: [{ file: 'recipes/cache/mirror.js', find: "if (event.type === 'gap')", replace: 'if (false)' }],
  },
];

/** A copy of the compiled program to break: `run` one mutant at a time. */
export class MutantLab {
  private constructor(
    private readonly directory: string,
    private readonly root: string,
  ) {}

  /** `root`: where package.json and dist are. */
  static async create(root: string): Promise<MutantLab> {
    const directory = await mkdtemp(join(tmpdir(), 'zabra-mutants-'));
    for (const path of ['protocol', 'src', 'test/simulation', 'test/helpers']) {
      await cp(join(root, 'dist', path), join(directory, 'dist', path), { recursive: true });
    }
    await cp(join(root, 'package.json'), join(directory, 'package.json'));
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
    return new MutantLab(directory, root);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Explores at most `seedsMax` seeds. Throws an Error when the place to break is not there any more. */
  async run({ name, edits, servers, recipe }: Mutant, seedsMax: number): Promise<Verdict> {
    const files = [...new Set(edits.map(({ file }) => file))];
    try {
      for (const edit of edits) await this.apply(name, edit);
      const output = await this.explore(seedsMax, servers ?? 3, recipe);
      const found = /^seed (\d+) FAILED: (.*)/m.exec(output);
      if (found === null) return { mutant: name, violation: null, seeds: seedsMax };
      return { mutant: name, violation: found[2].slice(0, 90), seeds: Number(found[1]) };
    } finally {
      for (const file of files) await cp(this.path(this.root, file), this.path(this.directory, file));
    }
  }

  private path(root: string, file: string): string {
    return join(root, 'dist', 'src', file);
  }

  private async apply(name: string, { file, find, replace }: Edit): Promise<void> {
    const path = this.path(this.directory, file);
    const text = await readFile(path, 'utf8');
    const times = text.split(find).length - 1;
    if (times !== 1) throw new Error(`mutant "${name}": "${find}" stands ${times} times in ${file}`);
    await writeFile(
      path,
      text.replace(find, () => replace),
    );
  }

  private explore(seedsMax: number, servers: number, recipe: string | undefined): Promise<string> {
    const main = join(
      this.directory,
      'dist',
      'test',
      'simulation',
      recipe === undefined ? 'main.js' : 'recipes/main.js',
    );
    const what = recipe === undefined ? ['--servers', String(servers)] : ['--recipe', recipe];
    const options = ['--seeds', String(seedsMax), '--failures', '1', ...what];
    return new Promise((resolve) => {
      execFile(process.execPath, [main, ...options], (_error, stdout, stderr) => resolve(stdout + stderr));
    });
  }
}

export function formatVerdicts(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(({ mutant, violation, seeds }) => {
      const found = violation === null ? 'NOT FOUND in' : 'found by';
      return `${mutant.padEnd(64)} ${found} ${String(seeds).padStart(3)} seeds  ${violation ?? ''}`;
    })
    .join('\n');
}
