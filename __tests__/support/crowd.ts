import { connect } from 'node:net';

/**
 * A crowd of slow clients, run as a program: PORT COUNT BEGINNING. Each opens a connection, sends the beginning of a
 * request and then one byte more each 100 ms (nothing at all where the beginning is empty), and comes back half a second
 * after it is dropped. Says so once all have come.
 */
const [port, count, beginning = ''] = process.argv.slice(2);
let came = 0;

function come(): void {
  const socket = connect(Number(port), '127.0.0.1');
  let dripping: NodeJS.Timeout | undefined;
  socket.on('error', () => undefined);
  socket.once('connect', () => {
    came += 1;
    if (came === Number(count)) process.stdout.write('all have come\n');
    if (beginning === '') return;
    socket.write(beginning);
    dripping = setInterval(() => socket.write('x'), 100);
  });
  socket.once('close', () => {
    clearInterval(dripping);
    setTimeout(come, 500);
  });
}

for (let n = 0; n < Number(count); n += 1) come();
