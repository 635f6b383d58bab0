import { setFlagsFromString } from 'node:v8';

/**
 * To be imported before anything else by a process that lives a second or two: optimizing what it runs would take longer
 * than it gains.
 */
setFlagsFromString('--no-opt');
