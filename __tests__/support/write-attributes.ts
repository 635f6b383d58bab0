import { writeAttributes } from '../../services/deployment/attributes.js';
import { RecordingLog } from './recording-log.js';

/** Sets `user.note` of the file that it is given, with the programs that its PATH has, and prints what the log says. */
const [path = ''] = process.argv.slice(2);
const log = new RecordingLog();
await writeAttributes(new Map([[path, { 'user.note': '0x00' }]]), log);
console.log(log.lines.join('\n'));
