import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { wordsOf } from '../../machines/errors.js';
import { CONFIGURATION_KEYS } from './configuration-schema.js';
import { shown } from './configuration-sources.js';
import { ConfigurationError, type Configuration } from './configuration.js';
import { isSystemError } from '../disk.js';

/**
 * Refuses to begin with roots that no update could write into: a sandbox leaves them out, their file system is mounted
 * read-only, or they are no folders. A root that is missing must be one that can be made. Rejects with a
 * ConfigurationError that names each and why.
 */
export async function needWritableRoots({
  managedRoot,
  extraRoots,
}: Pick<Configuration, 'managedRoot' | 'extraRoots'>): Promise<void> {
  const { managedRoot: managed, extraRoots: extra } = CONFIGURATION_KEYS;
  const roots = [
    { variable: managed.variable, root: managedRoot },
    ...extraRoots.map((root) => ({ variable: extra.variable, root })),
  ];
  const problems: string[] = [];
  for (const { variable, root } of roots) {
    const why = await whyNotWritable(root);
    if (why !== null)
      problems.push(`${variable} has ${shown(root)}: expected a folder that can be written, but ${why}`);
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
}

async function whyNotWritable(root: string): Promise<string | null> {
  for (let at = root; ; at = dirname(at)) {
    try {
      if (!(await stat(at)).isDirectory()) return `${at} is no folder`;
      await access(at, constants.W_OK);
      return null;
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR') && at !== dirname(at)) continue;
      return wordsOf(error);
    }
  }
}
