import { request } from 'node:http';

// One HTTP request after the other, and what came of each on a line, "200 WEB/web1" or the error:
//   node asks.js HOST HOST-HEADER PATH [TIMES]
const [host = '', name = '', path = '', times = '1'] = process.argv.slice(2);

const ask = (): Promise<string> =>
  new Promise((resolve) => {
    const asked = request({ host, path, headers: { host: name }, agent: false }, (response) => {
      response.on('error', (error) => resolve(error.message));
      response.on('end', () =>
        resolve(`${response.statusCode} ${String(response.headers['x-server'] ?? '')}`),
      );
      response.resume();
    });
    asked.on('error', (error) => resolve(error.message));
    asked.end();
  });

for (let left = Number(times); left > 0; left--) process.stdout.write(`${await ask()}\n`);
