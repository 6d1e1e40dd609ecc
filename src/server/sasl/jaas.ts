// The form in which a ZooKeeper server is told its users: the JAAS file that -Djava.security.auth.login.config names.
//
//   Server {
//     org.apache.zookeeper.server.auth.DigestLoginModule required
//     user_super="adminsecret"
//     user_bob="bobsecret";
//   };
//
// Only the section of this server is looked at, and of its options only the users. The passwords stand there as they
// are; the credentials file (verifiers.ts) is better where there is a choice.

import { ConfigError } from '../config/index.js';

export interface JaasFile {
  readonly file: string;
  readonly text: string;
  /** Name of the section: `Server` unless sasl.serverconfig says otherwise. */
  readonly section: string;
}

/** Blanks and comments, then a quoted text, a sign, or a word. */
const TOKEN = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*(?:"((?:[^"\\\n]|\\.)*)"|([{};=])|([^\s"{};=]+))/y;
const LOGIN_MODULE = /\.DigestLoginModule$/;
const USER = /^user_(.+)$/;

interface Token {
  readonly text: string;
  readonly isSign: boolean;
}

/** The users of the section with their passwords. Throws ConfigError, which quotes nothing of the file but names. */
export function parseJaasUsers({ file, text, section }: JaasFile): Map<string, string> {
  const wrong = (problem: string, remedy: string) =>
    new ConfigError({ key: 'java.security.auth.login.config', problem: `${file} ${problem}`, remedy });
  const tokens = tokensOf(text);
  if (tokens === null) throw wrong('cannot be read as a JAAS file', 'check its quotes and its last lines');
  const start = tokens.findIndex(
    ({ text: name, isSign }, at) =>
      !isSign && name === section && isBrace(tokens[at + 1]) && isSectionStart(tokens, at),
  );
  if (start < 0) {
    throw wrong(`has no section ${section} { … }`, 'add it, or name the one to use in sasl.serverconfig');
  }
  const users = new Map<string, string>();
  let at = start + 2;
  while (tokens[at] !== undefined && !(tokens[at]?.isSign === true && tokens[at]?.text === '}')) {
    const module = tokens[at]?.text ?? '';
    if (!LOGIN_MODULE.test(module)) {
      const remedy = 'use org.apache.zookeeper.server.auth.DigestLoginModule; there is no Kerberos here';
      throw wrong(`has the login module ${module} in section ${section}`, remedy);
    }
    at += 2; // the module and its flag, `required`
    while (tokens[at] !== undefined && tokens[at]?.text !== ';') {
      const [name, equals, value] = tokens.slice(at, at + 3);
      if (name?.isSign !== false || equals?.text !== '=' || value?.isSign !== false) {
        throw wrong(`has an option in section ${section} that is not name="value"`, 'end the last one with ; and };');
      }
      const user = USER.exec(name.text)?.[1];
      if (user !== undefined) users.set(user, value.text);
      at += 3;
    }
    at++;
  }
  if (users.size === 0) {
    throw wrong(`has no users in section ${section}`, 'add one as user_bob="password" before the semicolon');
  }
  return users;
}

function isBrace(token: Token | undefined): boolean {
  return token?.isSign === true && token.text === '{';
}

/** The name of a section stands at the start or behind the `;` of the one before. */
function isSectionStart(tokens: readonly Token[], at: number): boolean {
  const before = tokens[at - 1];
  return before === undefined || (before.isSign && before.text === ';');
}

function tokensOf(text: string): Token[] | null {
  const tokens: Token[] = [];
  const end = text.replace(/(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*$/, '').length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const [, quoted, sign, word] = TOKEN.exec(text) ?? [];
    if (quoted !== undefined) tokens.push({ text: quoted.replace(/\\(.)/g, '$1'), isSign: false });
    else if (sign !== undefined) tokens.push({ text: sign, isSign: true });
    else if (word !== undefined) tokens.push({ text: word, isSign: false });
    else return null;
  }
  return tokens;
}
