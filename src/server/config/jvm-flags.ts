// zkServer.sh hands SERVER_JVMFLAGS to a shell, so people write `-Xmx2g "-Dzookeeper.snapCount=1000"`. We take the `-D`
// words as options and say of the others that they are meant for a JVM.

/** A `-Dkey=value`; the key is kept as it was written, with or without `zookeeper.`. */
export interface SystemProperty {
  readonly key: string;
  readonly value: string;
}

/** Splits like a POSIX shell does without expanding anything: blanks, '…', "…" and backslashes. */
export function splitShellWords(text: string): string[] {
  const words: string[] = [];
  const word = /(?:[^\s"'\\]|\\[\s\S]|"(?:[^"\\]|\\[\s\S])*"|'[^']*'|["'\\])+/g;
  for (const [quoted] of text.matchAll(word)) {
    words.push(
      quoted.replace(/'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])/g, (_, single, double, escaped) =>
        single !== undefined ? single : double !== undefined ? unescapeDoubleQuoted(double) : escaped,
      ),
    );
  }
  return words;
}

function unescapeDoubleQuoted(text: string): string {
  return text.replace(/\\(["\\$`])/g, '$1');
}

/** `zookeeper.x=y` (with or without the leading `-D`); a key alone means an empty value, as in Java. */
export function parseSystemProperty(text: string): SystemProperty {
  const definition = text.replace(/^-D/, '');
  const equals = definition.indexOf('=');
  return equals < 0
    ? { key: definition, value: '' }
    : { key: definition.slice(0, equals), value: definition.slice(equals + 1) };
}

/** The `-D` words of a flag string, and the other words, which mean nothing here. */
export function parseJvmFlags(text: string): { properties: SystemProperty[]; skipped: string[] } {
  const words = splitShellWords(text);
  return {
    properties: words.filter((word) => word.startsWith('-D')).map(parseSystemProperty),
    skipped: words.filter((word) => !word.startsWith('-D')),
  };
}
