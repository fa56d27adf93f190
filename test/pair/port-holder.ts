import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program that listens at a port and answers nothing. */
export interface Holder {
  end(): Promise<void>;
}

const LISTEN = `const [host, port] = process.argv.slice(1);
require('node:net').createServer().listen({ host, port }, () => process.stdout.write('listening'));`;

/** Takes a port in a place of the lab; resolves once it is taken. Rejects where it cannot be. */
export async function held(place: readonly string[], host: string, port: number): Promise<Holder> {
  const [file, ...args] = [...place, process.execPath, '-e', LISTEN, host, String(port)];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const first = await Promise.race([once(child.stdout, 'data'), closed.then(() => null)]);
  if (first === null) throw new Error(`${host}:${port} could not be taken`);
  return {
    async end() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
