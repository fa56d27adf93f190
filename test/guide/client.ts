import { request } from 'node:http';

// Clients with the patience of a browser, until SIGTERM: node client.js ADDRESS HOST PATH
// A few at once, each one new connection after the other. What is cut is asked once more. Then, as
// one JSON line: {asked, cut, failed, by, why}.
const [host = '', name = '', path = ''] = process.argv.slice(2);
const AT_ONCE = 4;
const PAUSE_MS = 20;
const PATIENCE_MS = 15_000;

const seen = { asked: 0, cut: 0, failed: 0, by: {} as Record<string, number>, why: [] as string[] };
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());

/** The node that answered, or an error. */
const ask = (): Promise<string | Error> =>
  new Promise((resolve) => {
    const asked = request({ host, path, headers: { host: name }, agent: false }, (response) => {
      const { statusCode = 0, headers } = response;
      response.on('error', resolve);
      response.on('end', () =>
        resolve(statusCode === 200 ? String(headers['x-node']) : new Error(`${statusCode}`)),
      );
      response.resume();
    });
    asked.setTimeout(PATIENCE_MS, () => asked.destroy(new Error('no answer')));
    asked.on('error', resolve);
    asked.end();
  });

async function client(): Promise<void> {
  while (!stop.signal.aborted) {
    seen.asked++;
    let answer = await ask();
    if (answer instanceof Error) {
      seen.cut++;
      if (seen.why.length < 20) seen.why.push(answer.message);
      answer = await ask();
    }
    if (answer instanceof Error) seen.failed++;
    else seen.by[answer] = (seen.by[answer] ?? 0) + 1;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, client));
process.stdout.write(`${JSON.stringify(seen)}\n`);
