// What a person sees of what a program writes to a terminal: enough of one for readline's ways of moving the cursor. Colours
// are dropped; lines that leave at the top are kept.

const ESCAPE = String.fromCharCode(27);
/** An escape sequence with its number and letter, or one character. */
const SEQUENCE_OR_CHARACTER = new RegExp(`${ESCAPE}\\[(\\d*)([A-Za-z])|([\\s\\S])`, 'gu');

export function screenOf(output: string, columns: number): string[] {
  const rows: string[][] = [[]];
  let row = 0;
  let column = 0;
  const put = (character: string): void => {
    if (column === columns) lineFeed(0);
    while (rows[row].length < column) rows[row].push(' ');
    rows[row][column++] = character;
  };
  const lineFeed = (at: number): void => {
    row++;
    column = at;
    while (rows.length <= row) rows.push([]);
  };
  const control = (command: string, count: number): void => {
    const n = count || 1;
    if (command === 'A') row = Math.max(0, row - n);
    else if (command === 'B') row = Math.min(rows.length - 1, row + n);
    else if (command === 'C') column = Math.min(columns - 1, column + n);
    else if (command === 'D') column = Math.max(0, column - n);
    else if (command === 'G') column = n - 1;
    else if (command === 'J' && count === 0) {
      rows[row].length = Math.min(rows[row].length, column);
      rows.length = row + 1;
    } else if (command === 'K' && count === 0) rows[row].length = Math.min(rows[row].length, column);
    else if (command === 'K') rows[row] = [];
    else if (command !== 'm') throw new Error(`this terminal does not know CSI ${count} ${command}`);
  };
  for (const [, count, command, character] of output.matchAll(SEQUENCE_OR_CHARACTER)) {
    if (command !== undefined) control(command, Number(count));
    else if (character === '\r') column = 0;
    else if (character === '\n') lineFeed(column);
    else if (character === '\b') column = Math.max(0, column - 1);
    else if (character !== '\x07') put(character);
  }
  return rows.map((characters) =>
    Array.from(characters, (each) => each ?? ' ')
      .join('')
      .trimEnd(),
  );
}
