import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { createMachine } from 'xstate';
import { ERRORS } from '../../machines/errors.js';
import { updateMachine } from '../../machines/update-machine.js';
import { mermaidOf } from '../../scripts/mermaid.js';
import { betweenMarkers, GENERATED_PAGES } from '../../scripts/write-docs.js';
import { LEAF_STATES } from '../support/driven-states.js';

describe('the docs', () => {
  test.each(
    GENERATED_PAGES.map(({ file, renew }) => [file.pathname.replace(/^.*\//, ''), file, renew] as const),
  )('%s is as the code says (else: npm run docs)', async (_, file, renew) => {
    const page = await readFile(file, 'utf8');
    expect(page).toBe(renew(page));
  });

  test('name every error once', async () => {
    const page = await readFile(GENERATED_PAGES[1]?.file ?? '', 'utf8');
    for (const code of Object.keys(ERRORS)) expect(page.split(`\n| \`${code}\` `)).toHaveLength(2);
  });

  test('are not written where a page has lost its markers', () => {
    expect(() => betweenMarkers('a page', 'machine', 'x')).toThrow(/markers .* are missing/);
  });
});

describe('the picture', () => {
  const picture = mermaidOf(updateMachine);

  test('shows every state, and is the same each time', () => {
    for (const state of LEAF_STATES) {
      expect(picture).toContain(`state "${state.replace(/^.*\./, '')}" as ${state.replaceAll('.', '_')}`);
    }
    expect(mermaidOf(updateMachine)).toBe(picture);
  });

  test('shows the way of an update', () => {
    for (const line of [
      '[*] --> idle',
      'idle --> downloading : DOWNLOAD [isWellFormed]',
      'downloading --> verifying : transferring, transfer done',
      'verifying --> ready : inspecting, inspectPackage done',
      'ready --> deploying : askingGuard, askGuard done [isDeviceFree]',
      'deploying --> restarting : switching, switchFiles done',
      'restarting --> done : committing, commitRelease done',
      'restarting_settling --> restarting_rollingBack : settleServices failed',
      'deploying --> restarting : undoing, goBack failed → rollingBack.toFactory',
    ]) {
      expect(picture.split('\n').map((one) => one.trim())).toContain(line);
    }
  });

  test('leaves restarts out unless they are asked for', () => {
    expect(picture).not.toContain('RESTORED');
    expect(mermaidOf(updateMachine, { restarts: true })).toContain(
      '  [*] --> deploying : RESTORED [isJournalStopping] → undoing',
    );
  });

  test('has no label that Mermaid would cut, and draws no edge between the insides of two states', () => {
    for (const line of mermaidOf(updateMachine, { restarts: true }).split('\n')) {
      const [, from = '', to = '', label = ''] = /^ *(\S+) --> (\S+)(?: : (.*))?$/.exec(line) ?? [];
      expect(label).not.toMatch(/[:;]/);
      const parent = (id: string) => id.replace(/_?[^_]*$/, '');
      if (from !== '[*]') expect(parent(from)).toBe(parent(to));
    }
  });

  test('is drawn of any machine', () => {
    const machine = createMachine({
      initial: 'off',
      states: { off: { on: { PUSH: 'on' } }, on: { on: { PUSH: 'off' } } },
    });
    expect(mermaidOf(machine)).toBe(
      [
        'stateDiagram-v2',
        '  state "off" as off',
        '  state "on" as on',
        '  [*] --> off',
        '  off --> on : PUSH',
        '  on --> off : PUSH',
        '',
      ].join('\n'),
    );
  });
});
