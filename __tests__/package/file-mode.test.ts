import { expect, test } from '@jest/globals';
import { hasDroppedBits, modeOfFile } from '../../services/package/file-mode.js';

const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

test('a stated mode counts, without setuid, setgid, sticky and writable by everyone [P-20]', () => {
  expect(modeOfFile(0o640, ELF)).toBe(0o640);
  expect(modeOfFile(0o4755, ELF)).toBe(0o755);
  expect(modeOfFile(0o2755, ELF)).toBe(0o755);
  expect(modeOfFile(0o1777, ELF)).toBe(0o775);
  expect([null, 0o775, 0o4755, 0o2755, 0o1755, 0o666].map(hasDroppedBits)).toEqual([
    ...[false, false],
    ...[true, true, true, true],
  ]);
});

test('without one, programs and scripts are 0755 and the rest is 0644 [P-21]', () => {
  expect(modeOfFile(null, ELF)).toBe(0o755);
  expect(modeOfFile(null, Buffer.from('#!/b'))).toBe(0o755);
  expect(modeOfFile(null, Buffer.from('#!'))).toBe(0o755);
  for (const text of ['', '#', '# x', '\x7fEL', 'abcd'])
    expect(modeOfFile(null, Buffer.from(text))).toBe(0o644);
});
