import { readFileSync } from 'node:fs';
import { extractEntry } from '../../services/package/read-entry.js';
import { openZip } from '../../services/package/zip-archive.js';

/** Run as a process: extracts an entry to nowhere and prints its size and by how many bytes memory grew meanwhile. */
function residentBytes(): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kib) * 1024;
}

const [path = '', name = ''] = process.argv.slice(2);
const archive = await openZip(path);
const entry = archive.entries.get(name);
if (entry === undefined) throw new Error(`no entry ${name}`);
const before = residentBytes();
let peak = before;
const { size } = await extractEntry(archive, entry, () => {
  peak = Math.max(peak, residentBytes());
  return Promise.resolve();
});
await archive.close();
process.stdout.write(JSON.stringify({ size, grown: peak - before }));
