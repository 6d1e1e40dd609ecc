// Columns as wide as their widest cell.

/** The line of the titles, then one a row. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): [string, ...string[]] {
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd();
  return [line(titles), ...rows.map(line)];
}
