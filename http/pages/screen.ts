import type { Page } from './page.js';

/** The full-screen progress page, for devices without a screen program of their own: it asks /progress twice a second. */
export const SCREEN: Page = {
  title: 'Update',
  script: 'screen.js',
  styles: ['page.css', 'screen.css'],
  body: `
<main>
<div class="words">
<p id="versions"></p>
<div role="status"><h1 id="stage">…</h1><p id="hint"></p></div>
</div>
<div class="work">
<div class="how-far"><p id="message"></p><p id="percent"></p></div>
<progress id="bar" max="100" value="0" aria-labelledby="stage"></progress>
<ol id="steps"><li></li><li></li><li></li><li></li></ol>
</div>
<p id="error" role="alert"></p>
</main>
`,
};
