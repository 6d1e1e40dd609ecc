// Cuts a line into words as zkCli.sh does: blanks separate, and a quote is special only where a word begins, so that
// `set /config {"a": 1}` is four words with their quotes in place. Inside double quotes \" and \\ stand for the character.

export interface Word {
  readonly text: string;
  /** Where it begins in the line, its quote included. */
  readonly start: number;
}

export interface Words {
  readonly words: readonly Word[];
  /** The quote that the last word lacks at its end. */
  readonly openQuote: '"' | "'" | undefined;
}

export function splitWords(line: string): Words {
  const words: Word[] = [];
  for (let at = 0; ; ) {
    while (at < line.length && isBlank(line[at])) at++;
    if (at === line.length) return { words, openQuote: undefined };
    const start = at;
    const quote = line[at];
    if (quote === '"' || quote === "'") {
      let text = '';
      for (at++; at < line.length && line[at] !== quote; at++) {
        const next = line[at + 1];
        if (quote === '"' && line[at] === '\\' && (next === '"' || next === '\\')) at++;
        text += line[at];
      }
      words.push({ text, start });
      if (at === line.length) return { words, openQuote: quote };
      at++;
    } else {
      while (at < line.length && !isBlank(line[at])) at++;
      words.push({ text: line.slice(start, at), start });
    }
  }
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\r' || character === '\n';
}

/** Whether a line ends inside of quotes, so that the text in them goes on on the next. */
export function isUnfinished(text: string): boolean {
  return !text.trimStart().startsWith('#') && splitWords(text).openQuote !== undefined;
}

/** As a word of a line that splitWords reads back as `text`. */
export function quoted(text: string): string {
  if (text !== '' && !/^["']|[\s]/.test(text)) return text;
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
