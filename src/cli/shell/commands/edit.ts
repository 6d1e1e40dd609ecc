import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ZooKeeperError } from '../../../client/index.js';
import { type Context, defineCommand, operand } from '../command.js';
import { HintedError } from '../errors.js';
import { statJson } from '../format.js';

export const edit = defineCommand({
  name: 'edit',
  summary: "Opens a node's data in $VISUAL or $EDITOR, and writes them back if nobody has changed them meanwhile.",
  flags: {},
  operands: { path: operand('the node') },
  examples: ['edit /config'],
  async run(context, _, { path }) {
    const { client, signal } = context;
    const { data, stat } = await client.get(path, { signal });
    const before = data ?? Buffer.alloc(0);
    const directory = await mkdtemp(join(tmpdir(), 'zabra-edit-')); // nobody else can look into it
    const file = join(directory, 'data');
    let keeps = false;
    try {
      await writeFile(file, before, { mode: 0o600 });
      await runEditor(context, file);
      const after = await readFile(file);
      if (after.equals(before)) return { lines: ['Not changed'], quietLines: [], json: { path, changed: false } };
      const written = await client.set(path, after, { version: stat.version, signal }).catch((error: unknown) => {
        keeps = true;
        const text = ZooKeeperError.is(error, 'BadVersion')
          ? `${path} was changed meanwhile`
          : (error as Error).message;
        throw new HintedError(text, `edit again; what you wrote is in ${file}`);
      });
      return {
        lines: [`Changed ${path}, version ${written.version}`],
        quietLines: [],
        json: { path, changed: true, stat: statJson(written) },
      };
    } finally {
      if (!keeps) await rm(directory, { recursive: true, force: true });
    }
  },
});

/** Through a shell, since the variable may hold flags: `code --wait`. */
async function runEditor({ env, lendTerminal }: Context, file: string): Promise<void> {
  const editor = [env.VISUAL, env.EDITOR].find((each) => each !== undefined && each !== '') ?? 'vi';
  const status = await lendTerminal(
    () =>
      new Promise<number | null>((resolve, reject) => {
        const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' });
        child.once('error', reject);
        child.once('close', resolve);
      }),
  );
  if (status !== 0)
    throw new HintedError(`the editor ended with ${status}; nothing is written`, `EDITOR=nano, not ${editor}`);
}
