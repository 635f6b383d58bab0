import { pathToFileURL } from 'node:url';
import { CONFIGURATION_KEYS } from '../../services/configuration/configuration-schema.js';

/** The configuration's table as Markdown, as README shows it: a row for each variable, key, default and meaning. */
export function configurationTable(): string {
  const rows = Object.entries(CONFIGURATION_KEYS).map(([key, row]) => [
    `\`${row.variable}\``,
    `\`${key}\``,
    row.defaultInWords ?? defaultShown(row.default),
    `${row.about} (${row.expected}${row.kind === 'list' ? '; separated by colons in the environment' : ''})`,
  ]);
  const table = [
    ['Variable', 'Key in the file', 'Default', 'Meaning'],
    ['---', '---', '---', '---'],
    ...rows,
  ];
  return table
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`)
    .join('');
}

function defaultShown(value: unknown): string {
  if (value === '' || (Array.isArray(value) && value.length === 0)) return 'none';
  return `\`${String(value)}\``;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.stdout.write(configurationTable());
