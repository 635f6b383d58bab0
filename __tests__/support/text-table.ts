/** The rows of a table written as text: columns are separated by `|`, the first row names them. */
export function rowsOf(table: string): Record<string, string>[] {
  const lines = table
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const [names = [], ...rows] = lines;
  return rows.map((row) => {
    if (row.length !== names.length) throw new Error(`a row has other columns: ${row.join(' | ')}`);
    return Object.fromEntries(names.map((name, i) => [name, row[i] ?? '']));
  });
}
