import { fileURLToPath } from 'node:url';

/** The real path of the folder that this program runs from: no package may write into it. */
export const PROGRAM_FOLDER = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
