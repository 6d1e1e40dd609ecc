// One server of `zabra dev`: a child process that is started again when it ends by itself. Tells its owner what it is
// (asked with `srvr`, as monitors do) and what it has to say (its log; all of it goes to a file, too).

import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type DevMember, LOOPBACK } from './layout.js';

const LAUNCHER = fileURLToPath(new URL('../../../../bin/zabra.js', import.meta.url));
const POLL_MS = 250;
const ASK_MS = 1000;
const RESTART_MS = 1000;
const STOP_MS = 10_000;

export type DevRole = 'leader' | 'follower' | 'observer' | 'standalone' | 'none';

export interface DevServerEvents {
  /** Its process runs, again or for the first time. */
  started(pid: number): void;
  role(role: DevRole): void;
  /** A record of its log. */
  logged(level: string, message: string): void;
  /** It ended by itself, and is started again soon. */
  ended(how: string): void;
}

export class DevServer {
  readonly member: DevMember;
  role: DevRole = 'none';
  private readonly events: DevServerEvents;
  private child: ChildProcess | null = null;
  private exited: Promise<void> = Promise.resolve();
  private restart: NodeJS.Timeout | undefined;
  private poll: NodeJS.Timeout | undefined;
  private isStopping = false;

  constructor(member: DevMember, events: DevServerEvents) {
    this.member = member;
    this.events = events;
  }

  start(): void {
    const { configFile } = this.member;
    // In a process group of its own: Ctrl-C is for us, who stop all servers one way.
    const child = spawn(process.execPath, [LAUNCHER, 'server', '--config', configFile, '--log-format', 'json'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', (line) => this.heard(line));
    this.exited = new Promise((resolve) => {
      const over = (how: string) => {
        if (this.child !== child) return;
        this.child = null;
        this.change('none');
        if (!this.isStopping) {
          this.events.ended(how);
          this.restart = setTimeout(() => this.start(), RESTART_MS);
        }
        resolve();
      };
      child.once('error', (error) => over(error.message));
      child.once('exit', (code, signal) => over(signal === null ? `exit code ${code}` : signal));
    });
    if (child.pid !== undefined) this.events.started(child.pid);
    this.poll ??= setInterval(() => this.ask(), POLL_MS);
  }

  /** Stops it cleanly, if need be not so cleanly, and resolves when its process is gone. */
  async stop(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.restart);
    clearInterval(this.poll);
    this.child?.kill('SIGTERM');
    const timer = setTimeout(() => this.kill(), STOP_MS);
    if (this.child !== null) await this.exited;
    clearTimeout(timer);
  }

  kill(): void {
    this.child?.kill('SIGKILL');
  }

  private heard(line: string): void {
    appendFileSync(this.member.logFile, `${line}\n`);
    try {
      const { level, message } = JSON.parse(line) as { level: unknown; message: unknown };
      this.events.logged(String(level), String(message));
    } catch {
      this.events.logged('error', line); // what it prints beside its log, it prints because it cannot go on
    }
  }

  private ask(): void {
    if (this.child === null) return;
    let answer = '';
    const socket = connect(this.member.clientPort, LOOPBACK, () => socket.write('srvr'));
    socket.setTimeout(ASK_MS, () => socket.destroy());
    socket.on('data', (bytes) => {
      answer += bytes;
    });
    socket.on('error', () => {}); // it is not there, which is an answer as well
    socket.on('close', () => {
      const mode = /^Mode: (leader|follower|observer|standalone)$/m.exec(answer)?.[1];
      if (!this.isStopping && this.child !== null) this.change((mode as DevRole | undefined) ?? 'none');
    });
  }

  private change(role: DevRole): void {
    if (role === this.role) return;
    this.role = role;
    this.events.role(role);
  }
}
