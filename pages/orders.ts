import { element, say } from './elements.js';
import { textAt } from './json.js';
import { order } from './updater.js';

/** Lets a developer give orders, where the page has the form; they are the machine's to take or refuse. */
export function offerOrders(readyVersion: () => string): void {
  if (document.getElementById('orders') === null) return;
  const text = element('order', HTMLTextAreaElement);
  element('download', HTMLButtonElement).addEventListener('click', () => {
    void give('/download', () => JSON.parse(text.value));
  });
  element('update', HTMLButtonElement).addEventListener('click', () => {
    void give('/update', () => ({ version: readyVersion() }));
  });
}

/** Allows what the machine would take now. */
export function allowOrders(accepts: readonly string[]): void {
  if (document.getElementById('orders') === null) return;
  element('download', HTMLButtonElement).disabled = !accepts.includes('DOWNLOAD');
  element('update', HTMLButtonElement).disabled = !accepts.includes('UPDATE');
}

async function give(path: string, bodyOf: () => unknown): Promise<void> {
  try {
    const body = bodyOf();
    if (typeof body !== 'object' || body === null) throw new Error('the order is no JSON object');
    say('answer', textAt(await order(path, body, element('token', HTMLInputElement).value), 'msg'));
  } catch (error) {
    say('answer', error instanceof Error ? error.message : String(error));
  }
}
