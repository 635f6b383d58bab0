import { takeInstanceLock } from '../../services/lock/instance-lock.js';

/** A process that takes the lock of the store that it is given, says so, and holds it until its stdin ends. */
try {
  const lock = await takeInstanceLock(process.argv[2] ?? '');
  process.stdout.write('held\n');
  process.stdin.resume();
  process.stdin.once('end', () => void lock.unlock());
} catch (error) {
  process.stdout.write(`refused: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
