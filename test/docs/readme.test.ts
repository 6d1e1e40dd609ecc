// Every example of the README is run: TypeScript is compiled and run against a real server, lines of a shell that begin
// with `node bin/zabra.js` or go to a server's port are run, Python where kazoo is there. An address in an example is
// replaced by that of the test's server, and nothing else but what SETTINGS adds around a block.

import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect } from '../../src/client/index.js';
import { whyNoOpenSsl } from '../helpers/certificates.js';
import { whyNoKazoo } from '../helpers/kazoo.js';
import { freePort } from '../helpers/ports.js';
import { fourLetterWord, type ServerUnderTest, waitFor } from '../helpers/processes.js';
import { startZabra } from '../helpers/zabra-server.js';

const README = readFileSync(resolve('README.md'), 'utf8');
const PYTHON = '/usr/bin/python3';
const TSC = resolve('node_modules/typescript/bin/tsc');
/** Inside of the project, so that 'zabra' resolves to it as it does for its own examples. */
const PLACE = resolve('dist/test/docs/readme');

interface Block {
  readonly language: string;
  readonly text: string;
}

const blocks: readonly Block[] = [...README.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
  language,
  text,
}));
const shellLines = [...README.matchAll(/^ {4}(\S.*)$/gm)].map(([, line]) => line.replace(/\s+#.*$/, ''));

/** What a reader has around an example: the block is told apart by a text in it. */
const SETTINGS: readonly { readonly of: string; readonly before: string }[] = [
  {
    of: 'writeReport(',
    before: `async function writeReport(options: { token: bigint; signal: AbortSignal }): Promise<void> {
      if (options.token <= 0n || options.signal.aborted) throw new Error('not held');
    }`,
  },
];

let server: ServerUnderTest;
let place: string;
beforeAll(async () => {
  server = await startZabra();
  mkdirSync(PLACE, { recursive: true });
  place = mkdtempSync(join(PLACE, 'run-'));
}, 60_000);
afterAll(async () => {
  rmSync(place, { recursive: true, force: true });
  await server[Symbol.asyncDispose]();
});

interface Finished {
  readonly exitCode: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], cwd = process.cwd()): Promise<Finished> {
  return new Promise((settle) => {
    const child = execFile(command, args, { timeout: 60_000, killSignal: 'SIGKILL', cwd }, (error, stdout, stderr) => {
      settle({ exitCode: error === null ? 0 : (error.code ?? error.signal), stdout, stderr });
    });
    child.stdin?.end();
  });
}

const onServer = (text: string) => text.replaceAll('127.0.0.1:2181', server.address);

/** Compiles and runs a block as an ES module; fails on what the compiler or the program has to say. */
async function runTypeScript(text: string): Promise<Finished> {
  const setting = SETTINGS.find(({ of }) => text.includes(of));
  const source = onServer(`${setting?.before ?? ''}\n${text}\nexport {};\n`);
  writeFileSync(join(place, 'block.ts'), source);
  const options = {
    extends: resolve('tsconfig.json'),
    compilerOptions: {
      rootDir: '.',
      outDir: '.',
      composite: false,
      incremental: false,
      declaration: false,
      noUnusedLocals: false,
      types: ['node'],
      lib: ['ES2023', 'ESNext.Disposable'],
    },
    files: ['block.ts'],
    references: [],
  };
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify(options));
  expect(await run(process.execPath, [TSC, '-p', place])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  return run(process.execPath, [join(place, 'block.js')]);
}

const typeScript = blocks.filter(({ language }) => language === 'ts').map(({ text }) => text);

test('the README has examples', () => {
  expect(typeScript.length).toBeGreaterThan(2);
  expect(shellLines.length).toBeGreaterThan(5);
});

test.each(typeScript.map((text, i) => [i + 1, text] as const))(
  'TypeScript block %i',
  async (_, text) => {
    const { exitCode, stdout, stderr } = await runTypeScript(text);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const [, promised] of text.matchAll(/console\.log\(.*\/\/ (.*)$/gm)) expect(stdout).toContain(promised);
  },
  90_000,
);

const cliLines = shellLines.filter((line) => line.startsWith('node bin/zabra.js cli'));

test('the shell lines, in their order', async () => {
  expect(cliLines.length).toBeGreaterThan(1);
  for (const line of cliLines) {
    const words = line.split(' ').slice(1);
    words.splice(2, 0, '-server', server.address);
    expect(await run(process.execPath, words)).toMatchObject({ exitCode: 0, stderr: '' });
  }
  const client = await connect(server.address);
  expect(String((await client.get('/hello')).data)).toBe('world');
  await client.close();
}, 60_000);

test('the server is started as it says', async () => {
  const lines = shellLines.filter((line) => line.startsWith('node bin/zabra.js server'));
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) {
    const directory = mkdtempSync(join(tmpdir(), 'zabra-readme-'));
    const port = await freePort();
    writeFileSync(join(directory, 'zoo.cfg'), `dataDir=${directory}/data\nclientPort=${port}\n`);
    const words = line
      .split(' ')
      .slice(1)
      .map((word) =>
        word
          .replace('bin/zabra.js', resolve('bin/zabra.js'))
          .replace('/etc/zabra', directory)
          .replace('/var/lib/zabra', join(directory, 'data'))
          .replace(/^\d+$/, String(port)),
      );
    if (words.length === 2) words.push('--client-port', String(port)); // 2181 may be taken on this machine
    const child = spawn(process.execPath, words, { cwd: directory, stdio: 'ignore' });
    const exited = new Promise<number | null>((settle) => child.once('exit', settle));
    const client = await connect(`127.0.0.1:${port}`);
    await client.close();
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    rmSync(directory, { recursive: true });
  }
}, 90_000);

test('the four-letter word', async () => {
  const line = shellLines.find((each) => each.startsWith('echo ')) ?? '';
  const [, word] = /^echo (\w{4}) \| nc 127\.0\.0\.1 2181$/.exec(line) ?? [];
  expect(word).toBeDefined();
  expect(await fourLetterWord(server.port, word)).toContain('Mode: standalone');
});

test('the admin command', async () => {
  const line = shellLines.find((each) => each.startsWith('curl ')) ?? '';
  const [, path = ''] = /^curl http:\/\/127\.0\.0\.1:9141(\/\S+)$/.exec(line) ?? [];
  const port = String(await freePort());
  await using own = await startZabra({ 'admin.enableServer': 'true', 'admin.serverPort': port });
  expect(own.address).not.toBe('');
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  expect(await answer.json()).toMatchObject({ command: 'monitor', server_state: 'standalone' });
}, 60_000);

const noOpenSsl = whyNoOpenSsl();
(noOpenSsl === undefined ? test : test.skip)(
  `TLS${noOpenSsl === undefined ? '' : ` (${noOpenSsl})`}`,
  async () => {
    const [certificates = '', start = '', use = '', ...rest] = blocks
      .filter(({ language }) => language === 'sh')
      .map(({ text }) => text.replaceAll('node bin/zabra.js', `'${process.execPath}' '${resolve('bin/zabra.js')}'`));
    expect(rest).toEqual([]);
    const directory = mkdtempSync(join(tmpdir(), 'zabra-readme-tls-'));
    const [plain, secure] = [await freePort(), await freePort()].map(String);
    expect(await run('bash', ['-ec', certificates], directory)).toMatchObject({ exitCode: 0 });
    const more = `--client-port ${plain} --admin-enable-server false`;
    const command = `exec ${start.trim().replace('2281', secure)} ${more}`;
    const child = spawn('bash', ['-c', command], { cwd: directory, stdio: 'ignore' });
    const exited = new Promise<number | null>((settle) => child.once('exit', settle));
    try {
      const { exitCode, stdout, stderr } = await run('bash', ['-ec', use.replaceAll('2281', secure)], directory);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toContain('x509: CN=alice,O=Example');
    } finally {
      child.kill('SIGTERM');
    }
    expect(await exited).toBe(0);
    rmSync(directory, { recursive: true });
  },
  60_000,
);

test('what else is to be typed exists', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  for (const line of shellLines) {
    for (const [, name] of line.matchAll(/\bnpm (?:run )?(start|test|build)\b/g)) expect(scripts).toHaveProperty(name);
  }
  for (const [, path] of README.matchAll(/\]\((?!#|https?:)([^)]+)\)/g))
    expect([path, existsSync(resolve(path))]).toEqual([path, true]);
});

const noKazoo = whyNoKazoo();
(noKazoo === undefined ? test : test.skip)(
  `Python${noKazoo === undefined ? '' : ` (${noKazoo})`}`,
  async () => {
    const python = blocks.filter(({ language }) => language === 'python');
    expect(python.length).toBeGreaterThan(0);
    for (const { text } of python) {
      const { exitCode, stderr } = await run(PYTHON, ['-B', '-c', `${onServer(text)}\nclient.stop()\n`]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    }
    const client = await connect(server.address);
    const found = await waitFor(
      async () => (await client.exists('/from-python')) ?? undefined,
      5000,
      () => 'no node',
    );
    expect(found.dataLength).toBe(5);
    await client.close();
  },
  60_000,
);
