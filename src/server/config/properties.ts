// zoo.cfg is a Java properties file, and people use what that allows: `#` and `!` comments, `=`, `:` or blanks between
// key and value, a backslash at the end to go on in the next line, `\u00e9` and other escapes, any line ending.
//
// Natural lines are joined into logical ones first; each is then cut at the first separator that is not escaped.

/** One `key=value`, with the number of its first line (from 1). Blanks around the value are cut, as ZooKeeper does. */
export interface Property {
  readonly line: number;
  readonly key: string;
  readonly value: string;
}

const BLANK = /^[ \t\f]+/;
const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

/** All properties of a text, in its order; a key given twice is there twice. Never throws. */
export function parseProperties(text: string): Property[] {
  const properties: Property[] = [];
  for (const { line, content } of logicalLines(text)) {
    const separator = separatorAt(content);
    const key = unescapeText(content.slice(0, separator));
    const rest = content.slice(separator).replace(BLANK, '').replace(/^[=:]/, '');
    properties.push({ line, key, value: unescapeText(rest).trim() });
  }
  return properties;
}

function logicalLines(text: string): { line: number; content: string }[] {
  const lines: { line: number; content: string }[] = [];
  let open: { line: number; content: string } | undefined;
  for (const [index, natural] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const content = natural.replace(BLANK, '');
    // A comment or an empty line counts only where a logical line could begin.
    if (open === undefined && (content === '' || content.startsWith('#') || content.startsWith('!'))) continue;
    const continued = endsWithOddBackslashes(content);
    const piece = continued ? content.slice(0, -1) : content;
    if (open === undefined) open = { line: index + 1, content: piece };
    else open.content += piece;
    if (!continued) {
      lines.push(open);
      open = undefined;
    }
  }
  if (open !== undefined) lines.push(open);
  return lines;
}

function endsWithOddBackslashes(content: string): boolean {
  return (/\\+$/.exec(content)?.[0].length ?? 0) % 2 === 1;
}

function separatorAt(content: string): number {
  for (let at = 0; at < content.length; at++) {
    const character = content[at]!;
    if (character === '\\') at++;
    else if ('=: \t\f'.includes(character)) return at;
  }
  return content.length;
}

function unescapeText(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(.?))/g, (_, hex: string | undefined, other: string | undefined) =>
    hex !== undefined ? String.fromCharCode(Number.parseInt(hex, 16)) : (ESCAPES[other ?? ''] ?? other ?? ''),
  );
}
