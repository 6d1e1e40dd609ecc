// JSON for the eye: indented, and coloured where there are colours. It is the text that is laid out anew, token by token,
// so that numbers too long for a double, and names that stand twice, stay as they are.

import type { Style } from './output.js';

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** The lines; undefined when the text is no JSON, or a mere word or number, which needs no layout. */
export function prettyJson(text: string, style: Style): string[] | undefined {
  if (!/^\s*[{[]/.test(text) || !isJson(text)) return undefined;
  const tokens = text.match(TOKEN) ?? [];
  let out = '';
  let depth = 0;
  const newLine = (): void => {
    out += `\n${'  '.repeat(depth)}`;
  };
  for (const [i, token] of tokens.entries()) {
    const next = tokens[i + 1];
    if (token === '{' || token === '[') {
      out += token;
      depth++;
      if (next !== '}' && next !== ']') newLine();
    } else if (token === '}' || token === ']') {
      depth--;
      const before = tokens[i - 1];
      if (before !== '{' && before !== '[') newLine();
      out += token;
    } else if (token === ',') {
      out += token;
      newLine();
    } else if (token === ':') out += ': ';
    else out += coloured(token, next === ':', style);
  }
  return out.split('\n');
}

function coloured(token: string, isName: boolean, style: Style): string {
  const safe = style.content(token);
  if (isName) return style.name(safe);
  return token.startsWith('"') ? style.text(safe) : style.value(safe);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
