import { UpdateError } from '../../machines/errors.js';
import { howProgramEnded, runProgram, shellCommand } from '../programs/run-program.js';
import type { DeploymentTools } from './deployment-tools.js';
import type { Journal } from './journal.js';

const POST_COMMAND_MS = 30_000;

/** Runs the commands of the package that were not run yet, each marked in the journal. Throws POST_CMD_FAILED. */
export async function runCommandsLeft(
  journal: Journal,
  { log, manager }: DeploymentTools,
  signal: AbortSignal,
): Promise<void> {
  const { postCommands } = journal.body;
  for (const [index, command] of postCommands.entries()) {
    if (index < journal.head.postCommandsDone) continue;
    signal.throwIfAborted();
    // Marked before it runs: a command that was cut must not run twice.
    await journal.mark({ postCommandsDone: index + 1 });
    log.info('post command', { command });
    const result = await runProgram(shellCommand(command), { manager, timeoutMs: POST_COMMAND_MS, signal });
    if (result.exitCode === 0) continue;
    throw new UpdateError('POST_CMD_FAILED', `'${command}' ${howProgramEnded(result)}`);
  }
}
