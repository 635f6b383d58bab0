import { openRotatingLog } from '../../services/log/rotating-log.js';

/**
 * A process that logs as many lines as it is told (`FOLDER COUNT [MAX_BYTES]`), one per turn of the event loop, closes
 * the log and ends by itself with exit code 0.
 */
const [folder = '', count = '0', maxBytes] = process.argv.slice(2);
const log = await openRotatingLog({
  folder,
  level: 'info',
  ...(maxBytes === undefined ? {} : { maxBytes: Number(maxBytes) }),
});
log.debug('left out');
for (let line = 0; line < Number(count); line++) {
  log.info('line', { number: line });
  await new Promise((resolve) => setTimeout(resolve, 1));
}
log.warn('last but one');
log.error('last');
await log.close();
log.info('after the end');
