import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { createMachine } from 'xstate';
import { ERRORS } from '../../machines/errors.js';
import { updateMachine } from '../../machines/update-machine.js';
import { configurationTable } from '../../scripts/docs/configuration-table.js';
import { layOut } from '../../scripts/picture/lay-out.js';
import { graphOf, statesIn, type MachineGraph } from '../../scripts/picture/machine-graph.js';
import { mermaidOf } from '../../scripts/picture/mermaid.js';
import { svgOf } from '../../scripts/picture/svg.js';
import { betweenMarkers, GENERATED_PAGES } from '../../scripts/write-docs.js';
import { CONFIGURATION_KEYS } from '../../services/configuration/configuration-schema.js';
import { LEAF_STATES } from '../support/driven-states.js';

describe('the docs', () => {
  test.each(
    GENERATED_PAGES.map(({ file, renew }) => [file.pathname.replace(/^.*\//, ''), file, renew] as const),
  )('%s is as the code says (else: npm run docs)', async (_, file, renew) => {
    const page = await readFile(file, 'utf8');
    expect(page).toBe(await renew(page));
  });

  test('name every error once', async () => {
    const page = await readFile(GENERATED_PAGES[1]?.file ?? '', 'utf8');
    for (const code of Object.keys(ERRORS)) expect(page.split(`\n| \`${code}\` `)).toHaveLength(2);
  });

  test('have a row for every key of the configuration, with its default', () => {
    const rows = configurationTable().trimEnd().split('\n').slice(2);
    expect(rows).toHaveLength(Object.keys(CONFIGURATION_KEYS).length);
    for (const [index, [key, { variable }]] of Object.entries(CONFIGURATION_KEYS).entries())
      expect(rows[index]).toMatch(new RegExp(`^\\| \`${variable}\` \\| \`${key}\` \\| [^|]+ \\| [^|]+ \\|$`));
    expect(rows.join('\n')).toContain('| `TOPE_SETTLE_MS` | `settleMs` | `5000` |');
  });

  test('are not written where a page has lost its markers', () => {
    expect(() => betweenMarkers('a page', 'machine', 'x')).toThrow(/markers .* are missing/);
  });
});

describe('the Mermaid text', () => {
  const picture = mermaidOf(graphOf(updateMachine));

  test('shows every state, and is the same each time', () => {
    for (const state of LEAF_STATES) {
      expect(picture).toContain(`state "${state.replace(/^.*\./, '')}" as ${state.replaceAll('.', '_')}`);
    }
    expect(mermaidOf(graphOf(updateMachine))).toBe(picture);
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
    expect(mermaidOf(graphOf(updateMachine, { restarts: true }))).toContain(
      '  [*] --> deploying : RESTORED [isJournalStopping] → undoing',
    );
  });

  test('has no label that Mermaid would cut, and draws no edge between the insides of two states', () => {
    for (const line of mermaidOf(graphOf(updateMachine, { restarts: true })).split('\n')) {
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
    expect(mermaidOf(graphOf(machine))).toBe(
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

describe('the laid out picture', () => {
  const graph = graphOf(updateMachine);

  test('shows every state with its actors, and every transition that leads somewhere', async () => {
    const svg = svgOf(await layOut(graph));
    for (const { path, actors } of statesIn(graph.root).filter(({ path }) => path !== '')) {
      const box = svg.split('\n').find((line) => line.includes(`data-state="${path}"`)) ?? '';
      for (const actor of actors) expect(box).toContain(`>${actor}</text>`);
      expect(box).toContain(`>${path.replace(/^.*\./, '')}</text>`);
    }
    for (const { id } of graph.edges) expect(svg.split(` data-edge="${id}"`)).toHaveLength(2);
    expect(svg).not.toMatch(/NaN|undefined| style=/);
  });

  test('has no box within another one but a state within its own', async () => {
    const { boxes } = await layOut(graph);
    for (const a of boxes)
      for (const b of boxes) {
        if (
          a === b ||
          a.state.path.startsWith(`${b.state.path}.`) ||
          b.state.path.startsWith(`${a.state.path}.`)
        )
          continue;
        const isApart =
          a.place.x + a.place.width < b.place.x ||
          b.place.x + b.place.width < a.place.x ||
          a.place.y + a.place.height < b.place.y ||
          b.place.y + b.place.height < a.place.y;
        expect([a.state.path, b.state.path, isApart]).toEqual([a.state.path, b.state.path, true]);
      }
  });

  test('is another one when a guard is added to the machine, so that the kept picture is stale', async () => {
    const guarded = (edge: MachineGraph['edges'][number], index: number) =>
      index === 0 ? { ...edge, words: `${edge.words} [isNew]` } : edge;
    const changed = { ...graph, edges: graph.edges.map(guarded) };
    expect(svgOf(await layOut(changed))).not.toBe(svgOf(await layOut(graph)));
    expect(svgOf(await layOut(graph))).toBe(svgOf(await layOut(graph)));
  });
});
