import { describe, expect, test } from '@jest/globals';
import { updateMachine } from '../../machines/update-machine.js';
import { driveTo, STATE_PATHS } from './machine-states.js';
import { startScriptedMachine } from './scripted-machine.js';

interface Node {
  path: string[];
  states: Record<string, Node>;
}

function leavesOf(node: Node): string[] {
  const children = Object.values(node.states);
  return children.length === 0 ? [node.path.join('.')] : children.flatMap(leavesOf);
}

describe('the ways through the machine', () => {
  test('lead to every innermost state that the machine has', () => {
    expect([...STATE_PATHS].sort()).toEqual(leavesOf(updateMachine.root).sort());
  });

  test.each(STATE_PATHS)('arrive at %s', async (path) => {
    const machine = startScriptedMachine();
    await driveTo(machine, path);
    expect(machine.path()).toBe(path);
    machine.stop();
  });
});
