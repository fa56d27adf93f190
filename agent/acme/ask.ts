import { request } from 'node:http';
import { sentence } from '../core/words.ts';

export const PATH = '/.well-known/acme-challenge/';

/** A responder that does not answer for that long does not answer, ms. */
const ASK_MS = 2000;
/** A key authorization has 300 characters at most; more than this is somebody else's answer. */
const LONGEST = 1024;

/**
 * Asks HOST:PORT for a token as HAProxy would. Null when the answer is `expected`
 * (null: 404), else what was wrong with it in one sentence.
 */
export function ask(
  { host, port }: { readonly host: string; readonly port: number },
  token: string,
  expected: string | null,
): Promise<string | null> {
  return new Promise((resolve) => {
    const options = { host, port, path: `${PATH}${token}`, agent: false, timeout: ASK_MS };
    const asked = request(options, (answer) => {
      let body = '';
      answer.setEncoding('latin1');
      answer.on('data', (chunk: string) => {
        body += chunk;
        if (body.length <= LONGEST) return;
        resolve(OTHER);
        asked.destroy();
      });
      answer.on('close', () => {
        const status = answer.statusCode ?? 0;
        const wanted = expected === null ? 404 : 200;
        if (status !== wanted) resolve(`it answers ${status} where ${wanted} is right`);
        else if (expected !== null && body !== expected) resolve(OTHER);
        else resolve(null);
      });
    });
    // Also where the answer comes a byte at a time.
    const limit = setTimeout(() => asked.destroy(new Error(TOO_LATE)), ASK_MS);
    asked.on('timeout', () => asked.destroy(new Error(TOO_LATE)));
    asked.on('error', (error) => resolve(sentence(error)));
    asked.on('close', () => {
      clearTimeout(limit);
      resolve(TOO_LATE);
    });
    asked.end();
  });
}

const OTHER = 'it answers something else';
const TOO_LATE = `no answer within ${ASK_MS / 1000} s`;
