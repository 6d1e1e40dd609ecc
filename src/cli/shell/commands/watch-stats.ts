import { nobodyTells, parseBlocks, problemsOf } from '../cluster-sessions.js';
import { defineCommand, flag } from '../command.js';
import { table } from '../table.js';

const SHOWN_MAX = 20;

export const watchStats = defineCommand({
  name: 'watch-stats',
  summary: 'Counts the watches of all sessions, by path; the most watched first.',
  flags: { a: flag(`all paths, not only the first ${SHOWN_MAX}`) },
  operands: {},
  examples: ['watch-stats'],
  async run({ session, signal, style }, { a: all = false }) {
    const said = await session.ask('wchc', 'all', signal);
    const problems = problemsOf(said);
    if (said.every(({ answer }) => answer === null)) throw nobodyTells('wchc', problems);
    const watchers = new Map<string, number>();
    const sessions = new Set<string>();
    for (const { answer } of said) {
      for (const [id, paths] of parseBlocks(answer ?? '')) {
        sessions.add(id);
        for (const path of paths) watchers.set(path, (watchers.get(path) ?? 0) + 1);
      }
    }
    const paths = [...watchers].map(([path, count]) => ({ path, watches: count }));
    paths.sort((a, b) => b.watches - a.watches || (a.path < b.path ? -1 : 1));
    const watches = paths.reduce((sum, each) => sum + each.watches, 0);
    const shown = all ? paths : paths.slice(0, SHOWN_MAX);
    const [title, ...rows] = table(
      ['watches', 'path'],
      shown.map((each) => [String(each.watches), each.path]),
    );
    const lines = [
      `${sessions.size} sessions watch ${paths.length} paths with ${watches} watches`,
      ...(shown.length === 0 ? [] : [style.dim(title), ...rows.map(style.content)]),
      ...(shown.length === paths.length
        ? []
        : [style.dim(`and ${paths.length - shown.length} more paths: watch-stats -a`)]),
      ...problems.map((problem) => style.dim(`not told: ${problem}`)),
    ];
    return { lines, json: { sessions: sessions.size, watches, paths, problems } };
  },
});
