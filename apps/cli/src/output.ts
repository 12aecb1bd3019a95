import Table from 'cli-table3';

/** How a command answers: JSON for programs, a table for people. */
export interface OutputOptions {
  readonly json?: boolean;
}

export type Row = readonly (string | number)[];

/** Prints `value` as JSON with `--json`, else `head` and `rows` as a table. */
export function print(
  options: OutputOptions,
  value: unknown,
  table: { readonly head: readonly string[]; readonly rows: readonly Row[] },
): void {
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    return;
  }
  process.stdout.write(`${renderTable(table.head, table.rows)}\n`);
}

/** A borderless table, wide enough for its content. */
export function renderTable(head: readonly string[], rows: readonly Row[]): string {
  const none = { top: '', 'top-mid': '', 'top-left': '', 'top-right': '' };
  const table = new Table({
    head: [...head],
    chars: {
      ...none,
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '  ',
    },
    style: {
      border: [],
      head: process.stdout.isTTY ? ['bold'] : [],
      'padding-left': 0,
      'padding-right': 0,
    },
  });
  for (const row of rows) table.push(row.map((cell) => oneLine(String(cell))));
  return table.toString().replace(/ +$/gm, '');
}

/** Names come from outside: control characters must not reach the terminal. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- terminal escape sequences start with one
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}
