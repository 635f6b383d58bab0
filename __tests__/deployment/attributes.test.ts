import { execFileSync } from 'node:child_process';
import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { readAttributes, writeAttributes } from '../../services/deployment/attributes.js';
import { CAUSE, DeploymentBench } from '../support/deployment-bench.js';
import { describeIf, hasProgram, hasRoot, type Requirement } from '../support/requirements.js';
import { endingOf, startNode } from '../support/run-node.js';

const PROGRAMS = ['getfattr', 'setfattr', 'getfacl', 'setfacl', 'setcap', 'getcap'];
const ATTRIBUTES: Requirement = {
  met: hasRoot() && PROGRAMS.every(hasProgram),
  needs: 'root and the packages attr, acl and libcap2-bin',
};

let bench: DeploymentBench;
let file: string;
const run = (program: string, ...args: string[]) => execFileSync(program, args, { encoding: 'utf8' });
const acl = () => run('getfacl', '-cpn', file);
const note = () => run('getfattr', '--only-values', '--absolute-names', '-n', 'user.note', file);
const capabilities = () => run('getcap', file).trim().replace(file, '');

describeIf(ATTRIBUTES, 'a file with attributes of its own', () => {
  beforeEach(async () => {
    bench = await DeploymentBench.make();
    file = join(bench.root, 'app');
    await bench.put(file, 'old', { mode: 0o750, uid: 1234 });
    run('setfacl', '-m', 'u:4321:r--', file);
    run('setfattr', '-n', 'user.note', '-v', 'calibrated "twice"\\here', file);
  });

  test('passes owner, ACL and extended attributes on to its successor, which keeps the mode of the package [D-30]', async () => {
    await bench.deploy(await bench.package('1.0.0', { [file]: { data: 'new', mode: 0o775 } }));
    const { uid, gid, mode } = await stat(file);
    expect([await readFile(file, 'utf8'), uid, gid]).toEqual(['new', 1234, 1234]);
    expect((mode & 0o7777).toString(8)).toBe('775');
    expect(acl()).toContain('user:4321:r--');
    expect(note()).toBe('calibrated "twice"\\here');
  });

  test('comes back with all of them [D-7, D-32]', async () => {
    const before = [acl(), note(), await bench.tree()];
    await bench.deploy(await bench.package('1.0.0', { [file]: { data: 'new', mode: 0o775 } }));
    run('setfacl', '-b', file);
    run('setfattr', '-x', 'user.note', file);
    await bench.deploy('as-found');
    expect([acl(), note(), await bench.tree()]).toEqual(before);
  });

  test('is undone with all of them, also where it had a second name [D-32]', async () => {
    run('ln', file, `${file}.second`);
    const before = [acl(), note(), await bench.tree()];
    await bench.stop(await bench.package('1.0.0', { [file]: 'new' }));
    await bench.effects.switchFiles();
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect([acl(), note(), await bench.tree()]).toEqual(before);
  });

  test('passes no capabilities and no set-id bits on, with a warning, and comes back with them [D-31, D-32]', async () => {
    await chmod(file, 0o6755);
    run('setcap', 'cap_net_bind_service=ep', file);
    const staged = await bench.stage(await bench.package('1.0.0', { [file]: { data: 'new', mode: 0o4755 } }));
    expect(staged.notices).toEqual([
      `${file} had file capabilities and the mode 6755, the new file has not: set them anew if it needs them`,
    ]);
    await bench.deploy(await bench.package('1.0.0', { [file]: { data: 'new', mode: 0o4755 } }));
    expect(capabilities()).toBe('');
    expect(((await stat(file)).mode & 0o7777).toString(8)).toBe('755');
    await bench.deploy('as-found');
    expect(capabilities()).toBe(' cap_net_bind_service=ep');
    expect(((await stat(file)).mode & 0o7777).toString(8)).toBe('6755');
  });

  test('may have a name that getfattr writes in another way', async () => {
    const odd = join(bench.root, 'a\\b\nc=d ü');
    await bench.put(odd, 'old');
    run('setfattr', '-n', 'user.note', '-v', 'odd', odd);
    await bench.deploy(await bench.package('1.0.0', { [file]: 'new' }));
    expect(await readAttributes([odd], bench.log)).toEqual(new Map([[odd, { 'user.note': '0x6f6464' }]]));
    await writeAttributes(new Map([[odd, { 'user.note': '0x6576656e' }]]), bench.log);
    expect(run('getfattr', '--only-values', '--absolute-names', '-n', 'user.note', odd)).toBe('even');
  });

  test('is left without them, with a warning, on a device that has no setfattr', async () => {
    const child = startNode('__tests__/support/write-attributes.js', [file], { PATH: '/nowhere' });
    const { exitCode, stdout } = await endingOf(child);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout:
        'warn getfattr and setfattr are not installed: ACLs and extended attributes are not carried over\n',
    });
  });
});
