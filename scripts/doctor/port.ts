import { wordsOf } from '../../machines/errors.js';
import { askStatus } from '../calling/answers.js';
import { NoUpdater, type Client } from '../calling/client.js';
import { fault, note, ok, type Finding } from './finding.js';

const START_IT = 'systemctl start tope-updater, then journalctl -u tope-updater';

/** Whether the updater answers, and what it says of itself. */
export async function checkPort(client: Client): Promise<Finding[]> {
  try {
    const { stage, error } = await askStatus(client);
    const health = await client.get('/healthz');
    return [
      ok('port', `the updater answers at ${client.base}`),
      health.code === 200
        ? ok('health', 'it is able to work')
        : fault('health', health.msg, 'see the lines below'),
      error === null ? ok('stage', stage) : note('stage', `${stage}: ${error}`),
    ];
  } catch (error) {
    const why = wordsOf(error);
    if (error instanceof NoUpdater)
      return [fault('port', why, 'end the other program, or give the updater another TOPE_PORT')];
    return [fault('port', why, START_IT)];
  }
}
