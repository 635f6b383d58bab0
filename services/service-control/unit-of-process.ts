import { unlessGone } from './proc.js';
import { readProcFile } from './read-proc-file.js';

/**
 * The systemd unit that a process belongs to (`voice-app.service`, `session-3.scope`), null where it belongs to none.
 * Where both are there, systemd keeps its units in its own v1 hierarchy, not in the v2 one: cgroups(7).
 */
export async function unitOfProcess(pid: number): Promise<string | null> {
  const cgroups = await unlessGone(() => readProcFile(`/proc/${pid}/cgroup`));
  const lines = (cgroups ?? '').split('\n');
  const line =
    lines.find((one) => one.includes(':name=systemd:')) ?? lines.find((one) => one.startsWith('0::'));
  return line === undefined ? null : unitOfCgroup(line.slice(line.indexOf(':', line.indexOf(':') + 1) + 1));
}

/** The outermost service or scope of a cgroup's path: what lies below it is the unit's own affair. */
export function unitOfCgroup(path: string): string | null {
  const part = path.split('/').find((name) => /\.(?:service|scope)$/.test(name));
  // systemd puts _ before names that the kernel might take for its own files.
  return part === undefined ? null : part.replace(/^_/, '');
}
