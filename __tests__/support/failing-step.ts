import { watchSteps, type StepName } from '../../services/steps.js';

/** Runs work while some steps fail with a system error before they change anything; `times` bounds how often. */
export async function withFailingStep<Result>(
  { names, code, times = Infinity }: { names: readonly StepName[]; code: string; times?: number },
  work: () => Promise<Result>,
): Promise<Result> {
  let left = times;
  watchSteps((step, moment) => {
    if (!names.includes(step) || moment !== 'before' || left-- <= 0) return;
    throw Object.assign(new Error(`${code}: ${step}`), { code, errno: -1, syscall: 'test' });
  });
  try {
    return await work();
  } finally {
    watchSteps(null);
  }
}
