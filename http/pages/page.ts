import { textReply } from '../reply.js';
import type { Handler } from '../route.js';

/** A page of ours: markup, with script and style as files of their own (the policy allows no inline ones). */
export interface Page {
  title: string;
  /** Name of the files: `/pages/NAME.js` and `/pages/NAME.css`. */
  name: string;
  body: string;
}

/** Serves a page. Its addresses are absolute, since a page stands at two places. */
export function pageOf({ title, name, body }: Page): Handler {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="/pages/${name}.css">
<script type="module" src="/pages/${name}.js"></script>
</head>
<body>
${body.trim()}
</body>
</html>
`;
  return () => textReply('text/html', html);
}

/** Serves a page's script. */
export function scriptOf(code: string): Handler {
  return () => textReply('text/javascript', code.trimStart());
}

/** Serves a page's style. */
export function styleOf(rules: string): Handler {
  return () => textReply('text/css', rules.trimStart());
}
