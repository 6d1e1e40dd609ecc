// Who is connected, and what watches and ephemeral nodes they have: read out of the four-letter words cons, dump and wchc,
// which a server answers where its 4lw.commands.whitelist has them (by default neither Zabra nor ZooKeeper
// does). Session ids are texts such as 0x1000a.

import { HintedError } from './errors.js';
import type { Said, ShellSession } from './session.js';

export interface ConnectionInfo {
  readonly session: string;
  /** ip:port of the client. */
  readonly client: string;
  /** host:port of the server. */
  readonly server: string;
  readonly timeoutMs: number;
  readonly lastOperation: string;
}

/** The connections of all servers, by session; with `problems`, what they say who do not tell. */
export async function connections(
  session: ShellSession,
  signal: AbortSignal,
): Promise<{ bySession: ReadonlyMap<string, ConnectionInfo>; problems: readonly string[] }> {
  const said = await session.ask('cons', 'all', signal);
  const all = said.flatMap(({ server, answer }) => parseCons(answer ?? '', server));
  return { bySession: new Map(all.map((info) => [info.session, info])), problems: problemsOf(said) };
}

/** `/10.0.0.7:41234[1](queued=0,…,sid=0x1000a,lop=PING,…,to=30000,…)`; connections without a session are left out. */
export function parseCons(text: string, server: string): ConnectionInfo[] {
  const line = /^ ?\/(\S+?)\[\d+\]\((?=[^)]*\bsid=(0x[0-9a-f]+))(?=[^)]*\blop=([^,)]*))(?=[^)]*\bto=(\d+))/gm;
  return [...text.matchAll(line)].map(([, client, session, lastOperation, timeout]) => ({
    session,
    client,
    server,
    timeoutMs: Number(timeout),
    lastOperation,
  }));
}

/** The ephemeral nodes of every session, from the `ephemeral nodes dump` of dump. */
export function parseEphemerals(text: string): ReadonlyMap<string, readonly string[]> {
  const [, part = ''] = /^Sessions with Ephemerals.*\n((?:0x.*\n|\t.*\n)*)/m.exec(text) ?? [];
  return parseBlocks(part);
}

/** `0x1000a` followed by indented paths, as in wchc and dump. */
export function parseBlocks(text: string): ReadonlyMap<string, readonly string[]> {
  const blocks = new Map<string, string[]>();
  let paths: string[] = [];
  for (const line of text.split('\n')) {
    const title = /^(0x[0-9a-f]+):?$/.exec(line)?.[1];
    if (title !== undefined) {
      paths = blocks.get(title) ?? [];
      blocks.set(title, paths);
    } else if (line.startsWith('\t')) paths.push(line.slice(1));
  }
  return blocks;
}

export function problemsOf(said: readonly Said[]): string[] {
  return said.flatMap(({ server, problem }) => (problem === null ? [] : [`${server}: ${problem}`]));
}

/** For when nobody answers. */
export function nobodyTells(word: string, problems: readonly string[]): HintedError {
  return new HintedError(
    `no server tells: ${problems.join('; ')}`,
    `4lw.commands.whitelist=srvr,${word} in its zoo.cfg, or ask its admin port over HTTP`,
  );
}
