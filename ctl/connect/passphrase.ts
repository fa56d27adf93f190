import { createPrivateKey } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';

const ENTER = ['\r', '\n'];
const INTERRUPT = '\u0003';
const ERASE = ['\u007F', '\b'];
const TRIES = 3;

/**
 * Asks on the terminal of this process, whatever stands in for its standard input, and shows
 * nothing of the answer. Rejects with a sentence where there is no terminal, or at Ctrl-C.
 */
async function askPassphrase(question: string): Promise<string> {
  let fd: number;
  try {
    fd = openSync('/dev/tty', 'r+');
  } catch (cause) {
    throw new Error('there is no terminal to ask for a passphrase', { cause });
  }
  const terminal = new ReadStream(fd);
  try {
    terminal.setRawMode(true);
    writeSync(fd, question);
    return await new Promise((resolve, reject) => {
      let said = '';
      terminal.on('error', reject);
      terminal.on('data', (bytes: Buffer) => {
        for (const letter of bytes.toString('utf8')) {
          if (letter === INTERRUPT) return reject(new Error('interrupted'));
          if (ENTER.includes(letter)) return resolve(said);
          said = ERASE.includes(letter) ? said.slice(0, -1) : said + letter;
        }
      });
    });
  } finally {
    writeSync(fd, '\r\n');
    terminal.setRawMode(false);
    terminal.destroy();
    try {
      closeSync(fd);
    } catch {
      // The stream has closed it.
    }
  }
}

/** Asks twice for a new one. Rejects where they differ, or for one that is too short to keep anything. */
export async function askNewPassphrase(file: string): Promise<string> {
  const first = await askPassphrase(`New passphrase for ${file}: `);
  if (first.length < 8) throw new Error('a passphrase has at least 8 characters');
  if (first === (await askPassphrase('The same again: '))) return first;
  throw new Error('the two differ');
}

const opened = new Map<string, Promise<string>>();

/** A private key as PEM without a passphrase; asked for once a process where it has one. */
export function readKey(file: string, ask = askPassphrase): Promise<string> {
  const before = opened.get(file);
  if (before !== undefined) return before;
  const reading = readOnce(file, ask);
  opened.set(file, reading);
  return reading;
}

async function readOnce(file: string, ask: typeof askPassphrase): Promise<string> {
  const pem = readFileSync(file, 'utf8');
  if (!/BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem)) return pem;
  for (let tries = 1; ; tries++) {
    const passphrase = await ask(`Passphrase of ${file}: `);
    try {
      const key = createPrivateKey({ key: pem, passphrase });
      return key.export({ type: 'pkcs8', format: 'pem' }).toString();
    } catch (cause) {
      if (tries === TRIES) throw new Error(`that does not open ${file}`, { cause });
    }
  }
}
