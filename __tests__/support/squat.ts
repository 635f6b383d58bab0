import { createServer } from 'node:net';
import { readFileSync } from 'node:fs';

/**
 * Another user of the device, who wants to keep the updater from starting: notes the names that unix sockets with these
 * inodes have for all to see, and listens on them once its stdin ends. Says how many it has seen, then how many it got.
 */
const inodes = process.argv.slice(2);
process.setgid?.(65_534);
process.setuid?.(65_534);

const names = readFileSync('/proc/net/unix', 'utf8')
  .split('\n')
  .map((line) => line.trim().split(/ +/).slice(6))
  .flatMap(([inode = '', name]) => (inodes.includes(inode) && name !== undefined ? [name] : []));
process.stdout.write(`saw ${names.length}\n`);

process.stdin.resume().once('end', () => {
  let got = 0;
  let tried = 0;
  const next = () => {
    if (++tried === names.length) process.stdout.write(`got ${got}\n`);
  };
  if (names.length === 0) process.stdout.write('got 0\n');
  for (const name of names) {
    const server = createServer((socket) => socket.end('1'));
    server.once('error', next);
    server.listen({ path: name.replace(/^@/, '\0') }, () => {
      got += 1;
      next();
    });
  }
});
