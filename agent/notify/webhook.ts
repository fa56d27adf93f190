import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { request } from 'node:https';
import { messageJson, type NotifyMessage } from '../core/notify/notify-message.ts';

/** A file of headers, and how many of them. */
const MOST_BYTES = 16 << 10;
const MOST_HEADERS = 32;

/**
 * Posts the message as JSON; arrived is an answer of 200 to 299. Redirects are not followed: whom
 * the URL names gets it, and nobody else. Rejects with one sentence, at the latest after `timeoutMs`.
 */
export const webhook =
  (options: {
    readonly url: string;
    /** Empty: none. */
    readonly headersFile: string;
    /** PEM of the CAs of the server; empty: the well-known ones. */
    readonly ca: string;
    readonly timeoutMs: number;
  }) =>
  async (message: NotifyMessage): Promise<void> => {
    const { url, headersFile, ca, timeoutMs } = options;
    const headers = headersFile === '' ? {} : await headersIn(headersFile);
    const trusted = ca === '' ? {} : { ca: await readFile(ca) };
    const body = Buffer.from(JSON.stringify(messageJson(message)));
    const { host } = new URL(url);
    const signal = AbortSignal.timeout(timeoutMs);
    await new Promise<void>((resolve, reject) => {
      const failed = (cause: string): void => reject(new Error(`${host}: ${cause}`));
      const asked = request(
        url,
        {
          method: 'POST',
          agent: false,
          signal,
          ...trusted,
          headers: {
            ...headers,
            'content-type': 'application/json',
            'content-length': body.length,
            'user-agent': 'proxyagent',
          },
        },
        (answer) => {
          const { statusCode = 0 } = answer;
          // What it says more nobody reads.
          answer.destroy();
          if (statusCode >= 200 && statusCode < 300) resolve();
          else failed(`answered ${statusCode}`);
        },
      );
      asked.on('error', (error) =>
        failed(signal.aborted ? `no answer within ${timeoutMs} ms` : error.message),
      );
      asked.end(body);
    });
  };

/** `Name: value` a line, from a file that nobody else can read: tokens stand there. */
async function headersIn(path: string): Promise<Record<string, string>> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { mode, size } = await file.stat();
    if ((mode & 0o077) !== 0)
      throw new Error(`${path} can be read by others than its owner: chmod 600 ${path}`);
    if (size > MOST_BYTES)
      throw new Error(`${path} has ${size} bytes, at most ${MOST_BYTES} are taken`);
    const lines = (await file.readFile('utf8')).split('\n').filter((line) => line.trim() !== '');
    if (lines.length > MOST_HEADERS)
      throw new Error(`${path} has ${lines.length} headers, at most ${MOST_HEADERS} are taken`);
    return Object.fromEntries(
      lines.map((line, at) => {
        const [, name = '', value = ''] = /^([^:]+):\s*(.*?)\s*$/.exec(line) ?? [];
        try {
          validateHeaderName(name);
          validateHeaderValue(name, value);
        } catch (error) {
          throw new Error(`${path}:${at + 1}: must be Name: value`, { cause: error });
        }
        return [name.toLowerCase(), value];
      }),
    );
  } finally {
    await file.close();
  }
}
