import { readFileSync } from 'node:fs';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOOK } from './plan.ts';

// What somebody outside is told and sees of a lab with channels, until SIGTERM:
//   node channels.js FOLDER ADDRESS...
// It answers the webhook, follows the page and scrapes the metrics of the agent at each address.
// Prints one JSON object a line: {channel, at, ...}; `at` is the place of the address, from 0.
// A file `slow` in FOLDER has the seconds after which the webhook answers.
const [folder = '', ...addresses] = process.argv.slice(2);
const SCRAPE_MS = 300;
const SILENT_MS = 3000;

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

function slowMs(): number {
  try {
    return Number(readFileSync(join(folder, 'slow'), 'utf8')) * 1000;
  } catch {
    return 0;
  }
}

const own = (name: string): Buffer => readFileSync(join(folder, name));
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  say({ channel: 'begun' });
  await sleep(slowMs());
  say({ channel: 'hook', body });
  response.writeHead(204).end();
}

createServer(
  { cert: own('hook.pem'), key: own('hook.key') },
  (request, response) => void answer(request, response),
).listen(HOOK.port, HOOK.address);

const asked = (url: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: SILENT_MS }, resolve);
    request.on('timeout', () => request.destroy(new Error('it is silent')));
    request.on('error', reject);
  });

const later = (again: () => Promise<void>): void => void setTimeout(() => void again(), SCRAPE_MS);

async function scrape(at: number, address: string): Promise<void> {
  try {
    say({
      channel: 'metrics',
      at,
      text: await text(await asked(`http://${address}:7662/metrics`)),
    });
  } catch {
    say({ channel: 'metrics', at, text: '' });
  }
  later(() => scrape(at, address));
}

/** The parts of the page as its own script gets them. */
async function follow(at: number, address: string): Promise<void> {
  try {
    const stream = await asked(`http://${address}:7663/events`);
    for await (const line of createInterface({ input: stream }))
      if (line.startsWith('data: ')) say({ channel: 'page', at, parts: JSON.parse(line.slice(6)) });
  } catch {
    // It is asked again.
  }
  later(() => follow(at, address));
}

for (const [at, address] of addresses.entries()) {
  void scrape(at, address);
  void follow(at, address);
}
process.on('SIGTERM', () => process.exit());
