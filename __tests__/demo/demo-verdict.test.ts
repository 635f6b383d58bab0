import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Screen } from '../../scripts/demo/screen.js';
import { differences, Verdict } from '../../scripts/demo/verdict.js';
import { temporaryFolder } from '../support/temporary-folder.js';

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

describe("the demo's verdict", () => {
  test('tells of every file that is missing, different or should not be there', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'camera'));
    await mkdir(join(folder, '.tope-updater'));
    for (const name of ['camera/good', 'camera/bad', 'camera/foreign', '.tope-updater/journal'])
      await writeFile(join(folder, name), name);
    const expected = new Map([
      ['camera/good', sha256('camera/good')],
      ['camera/bad', sha256('other')],
      ['camera/gone', sha256('gone')],
    ]);
    expect(await differences(folder, expected)).toEqual([
      'camera/bad has another content',
      'camera/gone is missing',
      'camera/foreign should not be there',
    ]);
  });

  test('is good only where something was promised and nothing was broken', () => {
    const verdict = new Verdict();
    expect(verdict.isGood).toBe(false);
    verdict.note('one', []);
    expect(verdict.isGood).toBe(true);
    verdict.note('other', ['this', 'that']);
    expect(verdict.isGood).toBe(false);
    expect(verdict.lines()).toEqual(['kept    one', 'BROKEN  other: this; that']);
  });
});

describe("the demo's screen", () => {
  function printedOn(isTTY: boolean): string {
    let printed = '';
    const screen = new Screen({ write: (text: string) => (printed += text), isTTY, columns: 60 });
    for (const percent of [0, 10, 30, 90]) screen.bar('verifying', percent, 'Verifying');
    screen.line('demo', 'goes on');
    screen.endBar();
    return printed;
  }

  test('prints plain lines in a pipe, a bar each time it has grown by a quarter', () => {
    const lines = printedOn(false).trimEnd().split('\n');
    expect(lines.map((line) => /\d+ %|goes on/.exec(line)?.[0])).toEqual(['0 %', '30 %', '90 %', 'goes on']);
    expect(lines.join('')).not.toContain('\u001b');
  });

  test('draws one bar in place on a terminal, below the lines', () => {
    const printed = printedOn(true);
    expect(printed.split('\n')).toHaveLength(3);
    expect(printed.split('\n')[0]).toMatch(/goes on$/);
    expect(printed.split('\n')[1]).toMatch(/^\r\u001b\[2K +verifying +\[#+\.+\] +90 %/);
  });
});
