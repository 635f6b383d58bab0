import { FIRST_WORDS, type Progress, type TopState } from './stage.js';
import type { UpdateContext } from './update-context.js';

/** A report is read on a small screen: what people should know beside is cut to so many characters. */
const MAX_NOTICES = 300;

/**
 * What a stage tells when it begins: `failed` where it stopped, `done` with what people should know (files kept beside,
 * services that nobody started).
 */
export function firstWords(state: TopState, { failure, notices }: UpdateContext): Progress {
  const words = FIRST_WORDS[state];
  if (state === 'failed' && failure !== null) return { ...words, percent: failure.progress };
  if (state !== 'done' || notices.length === 0) return words;
  return { ...words, message: [words.message, ...notices].join('; ').slice(0, MAX_NOTICES) };
}
