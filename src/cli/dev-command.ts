// `zabra dev`: several servers on this machine, for development: to see an ensemble work, and to see it survive when one of
// them is killed. Says in a few lines how to connect, then who leads and who follows as that changes, and stops all on
// Ctrl-C. A server that dies is started again, so that a kill is a demonstration and not the end.

import { relative, resolve } from 'node:path';
import type { Argv } from 'yargs';
import { DevServer, type DevServerEvents } from './dev/dev-server.js';
import { connectStringOf, type DevOptions, faultOf, LOOPBACK, membersOf, prepare, takenPort } from './dev/layout.js';
import { ExitCode } from './shell/errors.js';
import { masked, type Style, styleFor } from './shell/output.js';

/** Who is not serving by then is told where to look. */
const PATIENCE_MS = 20_000;

const ROLES = {
  leader: 'leads',
  follower: 'follows',
  observer: 'observes',
  standalone: 'serves',
  none: 'serves nobody',
} as const;

export function describeDevCommand(yargs: Argv): Argv {
  return yargs
    .usage('zabra dev [--servers N] [--observers N] [--dir DIR] [--port P]')
    .usage('')
    .usage('Runs an ensemble of servers on this machine, on loopback only, until Ctrl-C.')
    .usage('For development: a server that dies, or that you kill, is started again.')
    .option('servers', { type: 'number', requiresArg: true, default: 3, describe: 'How many servers vote' })
    .option('observers', { type: 'number', requiresArg: true, default: 0, describe: 'How many more only observe' })
    .option('dir', { type: 'string', requiresArg: true, default: './zabra-dev', describe: 'Where their data go' })
    .option('port', { type: 'number', requiresArg: true, default: 2181, describe: 'Client port of the first server' })
    .option('tick-time', {
      type: 'number',
      requiresArg: true,
      default: 2000,
      describe: 'Basic time unit in ms; less makes failures show sooner',
    })
    .example('zabra dev', 'three servers on 127.0.0.1:2181, 2182 and 2183')
    .example('zabra dev --servers 5 --observers 1', 'more of them, one without a vote')
    .example('zabra dev --dir /tmp/try --port 3181', 'another place')
    .example('zabra dev --tick-time 200', 'dead servers are noticed within a second');
}

/** Runs until it is told to stop; sets the process's exit code. */
export async function runDev(argv: Readonly<Record<string, unknown>>): Promise<void> {
  const options: DevOptions = {
    servers: Number(argv.servers),
    observers: Number(argv.observers),
    directory: resolve(String(argv.dir)),
    port: Number(argv.port),
    tickTimeMs: Number(argv['tick-time']),
  };
  const fault = faultOf(options);
  if (fault !== undefined) return refuse(fault, ExitCode.usage);
  const members = membersOf(options);
  const taken = await takenPort(members);
  if (taken !== undefined) return refuse(`port ${taken} is in use: choose others with --port`, ExitCode.failed);
  try {
    prepare(members, options);
  } catch (error) {
    return refuse((error as Error).message, ExitCode.failed);
  }
  const screen = new Screen(styleFor(process.stdout, process.env));
  const servers = members.map((member) => new DevServer(member, screen.eventsOf(member.id)));
  // They are in process groups of their own, and must not outlive us whatever ends us.
  process.once('exit', () => {
    for (const server of servers) server.kill();
  });
  const isStopped = stopped();
  screen.greet(options, connectStringOf(members));
  for (const server of servers) server.start();
  const patience = setTimeout(() => {
    const late = servers.filter(({ role }) => role === 'none');
    if (late.length > 0) screen.say(`Still not serving: what they say is in ${late[0].member.logFile}`);
  }, PATIENCE_MS);
  await isStopped;
  clearTimeout(patience);
  screen.sayLast('Stopping; the data stay.');
  process.on('SIGINT', () => {
    for (const server of servers) server.kill(); // pressed twice
  });
  await Promise.all(servers.map((server) => server.stop()));
}

function refuse(problem: string, exitCode: number): void {
  console.error(`zabra: ${problem} (try: zabra dev --help)`);
  process.exitCode = exitCode;
}

function stopped(): Promise<void> {
  return new Promise((settle) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => settle());
    process.stdout.on('error', () => settle()); // nobody reads on: `zabra dev | head`
  });
}

/** What the person at the terminal sees. */
class Screen {
  private readonly style: Style;
  /** Who has served at least once; before that, that others are not reached yet is no news. */
  private readonly settled = new Set<number>();
  private isQuiet = false;

  constructor(style: Style) {
    this.style = style;
  }

  greet({ servers, observers, directory }: DevOptions, connectString: string): void {
    const { bold, dim } = this.style;
    const count = servers === 1 ? 'one server' : `${servers} servers`;
    const more = observers === 0 ? '' : observers === 1 ? ' and an observer' : ` and ${observers} observers`;
    this.say('');
    this.say(`  Zabra runs ${count}${more} on ${LOOPBACK}, with the data in ${shortest(directory)}`);
    this.say('');
    this.say(`  Connect with   ${bold(`npx zabra cli -server ${connectString}`)}`);
    this.say(`  or in code     ${bold(`const client = await connect('${connectString}')`)}   from 'zabra'`);
    if (servers > 2) this.say(`  Try            ${bold('kill -9')} the process that leads, and see who takes over`);
    if (servers === 2)
      this.say(`  ${dim('Two servers are no safer than one: without either of them there is no majority.')}`);
    this.say(`  Stop with      ${bold('Ctrl-C')}`);
    this.say('');
  }

  eventsOf(id: number): DevServerEvents {
    const { bold, dim, error, name } = this.style;
    const say = (text: string) => this.say(`${name(`[${id}]`)} ${text}`);
    return {
      started: (pid) => say(dim(`runs as process ${pid}`)),
      role: (role) => {
        if (role !== 'none') this.settled.add(id);
        say(role === 'leader' || role === 'standalone' ? bold(ROLES[role]) : ROLES[role]);
      },
      logged: (level, message) => {
        const isNews = level === 'error' || (level === 'warn' && this.settled.has(id));
        const text = masked(message);
        if (isNews) say(level === 'error' ? error(`error: ${text}`) : `warning: ${text}`);
      },
      ended: (how) => {
        this.settled.delete(id);
        say(`ended (${how}); starting it again in a second`);
      },
    };
  }

  say(text: string): void {
    if (!this.isQuiet) process.stdout.write(`${text}\n`);
  }

  /** That servers which are stopped miss each other is no news. */
  sayLast(text: string): void {
    this.say(text);
    this.isQuiet = true;
  }
}

function shortest(directory: string): string {
  const fromHere = relative(process.cwd(), directory);
  return fromHere !== '' && !fromHere.startsWith('..') ? `./${fromHere}` : directory;
}
