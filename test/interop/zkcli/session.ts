/**
 * A scripted session of zkCli.sh and its transcript. zkCli reads commands from standard input without a prompt or an
 * echo, so a command that always prints the same line is put behind each one to tell the outputs apart. Watch events
 * are printed by another thread at any moment: they are taken out and listed, in their order, at the end.
 *
 * What differs from run to run is masked: zxids become their rank among the zxids of the transcript (so equal stays
 * equal and later stays later), lists in brackets and identities are sorted, times, session ids and log lines go.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

const ZKCLI = '/usr/share/zookeeper/bin/zkCli.sh';
const MARK_COMMAND = 'printwatches';
const MARK_OUTPUT = 'printwatches is on';

/** Why zkCli.sh cannot be used on this machine; undefined when it can. */
export function whyNoZkCli(): string | undefined {
  if (!existsSync(ZKCLI)) return `no zkCli.sh: Debian package zookeeper is not installed`;
  if (!existsSync('/usr/bin/java')) return 'no zkCli.sh: /usr/bin/java is missing';
  return undefined;
}

function runZkCli(args: readonly string[], input: string): Promise<{ output: string; exitCode: number | null }> {
  return new Promise((resolve, reject) => {
    // The shell joins both streams in one pipe, which keeps results and error messages in their order.
    const env = { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', TZ: 'UTC' };
    const child = spawn('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', ZKCLI, ...args], { env });
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ output: Buffer.concat(parts).toString('utf8'), exitCode }));
    child.stdin.end(input);
  });
}

const NOISE = [
  /^SLF4J: /,
  /^log4j:/,
  /^Connecting to /,
  /^Welcome to ZooKeeper!/,
  /^JLine support is /,
  /^WATCHER::$/,
  /^\s*$/,
  /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} /,
];

export function mask(text: string): string {
  const zxid = /\b(cZxid|mZxid|pZxid) = (0x[0-9a-f]+)/gi;
  const seen = [...new Set([...text.matchAll(zxid)].map((match) => match[2]))].sort((a, b) => Number(a) - Number(b));
  return text
    .replace(zxid, (_, name: string, value: string) => `${name} = #${value === '0x0' ? 0 : seen.indexOf(value) + 1}`)
    .replace(/^(ctime|mtime) = (?!Thu Jan 01 00:00:00 \w+ 1970).*$/gm, '$1 = <time>')
    .replace(/ephemeralOwner = 0x(?!0$)[0-9a-f]+$/gm, 'ephemeralOwner = <session>')
    .replace(/^\[(.+, .+)\]$/gm, (_, list: string) => `[${list.split(', ').sort().join(', ')}]`)
    .replace(/^(Auth scheme: User\n)((?:\w+: .*\n)+)/gm, (_, title: string, ids: string) => {
      return title + ids.match(/.*\n/g)?.sort().join('');
    })
    .replace(/^(ZooKeeper CLI version: ).*$/gm, '$1<version>')
    .replaceAll(/\b127\.0\.0\.1:\d+/g, '<address>');
}

/** Runs the commands of a script in one zkCli session and returns the masked transcript. */
export async function transcript(address: string, script: string): Promise<string> {
  const commands = script.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const input = commands.map((line) => `${line.replaceAll('{address}', address)}\n${MARK_COMMAND}\n`).join('');
  const { output } = await runZkCli(['-server', address, '-waitforconnection'], `${MARK_COMMAND}\n${input}quit\n`);
  const events: string[] = [];
  const lines = output.split('\n').filter((line) => {
    if (/^WatchedEvent .* type:(?!None)/.test(line)) events.push(line);
    return !line.startsWith('WatchedEvent ') && !NOISE.some((noise) => noise.test(line));
  });
  const [, ...sections] = `${lines.join('\n')}\n`.split(`${MARK_OUTPUT}\n`);
  const shown = commands.map((command, i) => `> ${command}\n${sections[i] ?? '<no output: the session ended>\n'}`);
  return mask([...shown, '== events ==\n', ...events.map((event) => `${event}\n`)].join(''));
}

/** Runs `zkCli.sh -server ADDRESS command…` and returns its exit code with its masked output. */
export async function oneShot(
  address: string,
  command: readonly string[],
): Promise<{ output: string; exitCode: number | null }> {
  const { output, exitCode } = await runZkCli(['-server', address, ...command], '');
  const lines = output.split('\n').filter((line) => !/^WatchedEvent /.test(line) && !NOISE.some((n) => n.test(line)));
  return { output: mask(lines.join('\n')), exitCode };
}
