import { readFile } from 'node:fs/promises';
import { textReply } from '../reply.js';
import type { Handler } from '../route.js';

/** A page of ours: markup, with script and styles as files of their own (the policy allows no inline ones). */
export interface Page {
  title: string;
  script: ScriptName;
  styles: readonly StyleName[];
  body: string;
}

/** What pages load; built or copied from the folder pages/. */
export const SCRIPTS = [
  'elements.js',
  'json.js',
  'orders.js',
  'picture.js',
  'replay.js',
  'screen-messages.js',
  'screen-words.js',
  'screen.js',
  'steps.js',
  'updater.js',
  'visualizer.js',
] as const;
export const STYLES = ['machine.css', 'page.css', 'screen.css', 'visualizer.css'] as const;
type ScriptName = (typeof SCRIPTS)[number];
type StyleName = (typeof STYLES)[number];

const FOLDER = new URL('../../pages/', import.meta.url);

/** The markup of a whole page. Its addresses are absolute, since a page stands at two places. */
export function markupOf({ title, script, styles, body }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
${styles.map((style) => `<link rel="stylesheet" href="/pages/${style}">`).join('\n')}
<script type="module" src="/pages/${script}"></script>
</head>
<body>
${body.trim()}
</body>
</html>
`;
}

/** Serves a page that is always the same. */
export function pageOf(page: Page): Handler {
  return () => textReply('text/html', markupOf(page));
}

/** Serves a file that pages load; it is read when it is asked for, and kept nowhere. */
export function fileOf(name: ScriptName | StyleName): Handler {
  const mediaType = name.endsWith('.css') ? 'text/css' : 'text/javascript';
  return async () => textReply(mediaType, await readFile(new URL(name, FOLDER), 'utf8'));
}
