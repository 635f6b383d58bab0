import { textReply } from '../reply.js';
import type { Handler } from '../route.js';
import { MACHINE_PICTURE } from './machine-picture.js';
import { markupOf, type Page } from './page.js';

/** Only on a development machine: whoever can open the page may give orders from it. */
const ORDERS = `
<details id="orders">
<summary>Orders (development)</summary>
<label for="order">What <code>tope-updater pack</code> printed, with a <code>package_url</code></label>
<textarea id="order" rows="6" spellcheck="false"></textarea>
<label for="token">Token, where the updater demands one</label>
<input type="password" id="token" autocomplete="off">
<p><button type="button" id="download">Download</button> <button type="button" id="update">Install what is ready</button></p>
<p id="answer" role="status"></p>
</details>
`;

/** The page for people who look at the machine: its picture with the state lit, live, and how it got there. */
function visualizerPage(withOrders: boolean): Page {
  return {
    title: 'TOPE Updater: the machine',
    script: 'visualizer.js',
    styles: ['page.css', 'machine.css', 'visualizer.css'],
    body: `
<header>
<h1>The update machine</h1>
<p id="connection" role="status">Connecting…</p>
<p id="path">…</p>
<p id="progress"></p>
</header>
<main>
<section class="picture" aria-label="Picture">
<div id="canvas" tabindex="0" role="group" aria-label="The machine; scroll with the arrow keys">
${MACHINE_PICTURE}</div>
<p class="zoom"><button type="button" id="whole" aria-pressed="false">Whole picture</button></p>
</section>
<section class="story" aria-label="What happened">
<dl>
<dt>Since</dt><dd id="since">…</dd>
<dt>Takes now</dt><dd id="accepts">…</dd>
</dl>
${withOrders ? ORDERS : ''}
<div class="replay">
<label for="slider">Replay of the last update</label>
<input type="range" id="slider" min="0" max="0" value="0" disabled>
<button type="button" id="live" disabled>Back to live</button>
</div>
<div id="detail" aria-live="polite"></div>
<h2>Transitions, newest first</h2>
<ol id="steps" tabindex="-1"></ol>
</section>
</main>
`,
  };
}

/** Serves it, with the orders where the configuration allows them. */
export const visualizer: Handler = ({ allowsPageOrders }) =>
  textReply('text/html', markupOf(visualizerPage(allowsPageOrders)));
