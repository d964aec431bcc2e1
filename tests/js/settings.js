// What the test tells a program: a JSON file, named as the first argument. Programs end when their standard input does, so that none
// outlives its test.
import { readFileSync } from 'node:fs';

export const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));

process.stdin.on('end', () => process.exit(0)).resume();

// Listens on a free port of this machine, and says on which one.
export async function listen(server) {
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return server.address().port;
}
