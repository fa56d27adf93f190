import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../sys/clock.ts';
import { watchSilence } from './silence.ts';
import { turns } from './turns.ts';

/** How a request to the helper ended without being done. */
export type HelperFailure = 'refused' | 'failed' | 'silent' | 'ended';

/** What the privileged helper did not do: what was asked, then what it said. */
export class HelperError extends Error {
  override readonly name = 'HelperError';
  readonly failure: HelperFailure;

  constructor(asked: readonly string[], failure: HelperFailure, said: string) {
    super(`privileged helper, ${asked.join(' ')}: ${said}`);
    this.failure = failure;
  }
}

/** What of agent.toml the helper is started with, as root read it; nothing changes it later. */
export interface HelperOptions {
  readonly ifconfig: string;
  readonly sysctl: string;
  readonly pfctl: string;
  readonly ngctl: string;
  /** Where certificate files may be read and replaced; as CertificateNames. */
  readonly directories: readonly string[];
  readonly lists: readonly string[];
  readonly named: readonly string[];
  readonly check: readonly string[];
  readonly reload: readonly string[];
  /** Null: root does not allow configurations to be deployed. */
  readonly deploy: DeployOptions | null;
}

/** What the helper judges a signed configuration by. */
export interface DeployOptions {
  /** haproxy.conf, or the directory in its place. */
  readonly config: string;
  readonly node: string;
  readonly pair: string;
  /** PEM of the pair's CAs. */
  readonly ca: string;
  /** A directory of root's alone, for what was deployed; it is made where it is missing. */
  readonly store: string;
}

export interface Helper {
  readonly pid: number;
  /**
   * Asks for one request, in order, and resolves to the lines it printed. `content` follows the
   * request. Rejects with HelperError; after `silent` it may still be done.
   */
  ask(
    words: readonly string[],
    limitMs: number,
    content?: string | Uint8Array,
  ): Promise<readonly string[]>;
  /** Resolves when it is gone, whoever ended it. */
  readonly ended: Promise<void>;
  /** Resolves when it has answered nothing for so long that it never may. */
  readonly hung: Promise<void>;
  /** Closes its standard input: it lifts a fence and ends. */
  close(): void;
}

const SCRIPT = fileURLToPath(new URL('helper.sh', import.meta.url));
/** What the helper lets pass: no blank, no quote, nothing that a shell acts on. */
const WORD = /^[A-Za-z0-9._/@:=+,-]+$/;
const STRANGE = 'a character that no verb needs';
/** As helper.sh's `longest`, with room for the number. */
const LONGEST = 65_000;
const START_MS = 5000;
/** Longer than any request takes: a command is waited for 30 s. */
const HANG_MS = 60_000;

interface Waiting {
  readonly sequence: number;
  done(failure: HelperFailure | null, said: string, lines: readonly string[]): void;
}

/**
 * Starts helper.sh with the rights this process has now, in a session of its own, so that a
 * terminal's Ctrl-C does not reach it. Rejects with a sentence when it does not answer. One that
 * answers nothing for `hangMs` is given up. `script` is another helper.sh for a test.
 */
export async function startHelper(
  options: HelperOptions,
  script = SCRIPT,
  hangMs = HANG_MS,
): Promise<Helper> {
  const { ifconfig, sysctl, pfctl, ngctl, directories, check, reload, lists, named } = options;
  const words = [directories, check, reload].map((all) => all.join('\n'));
  const { config, node, pair, ca, store } = options.deploy ?? {};
  const deploy = options.deploy === null ? [] : [config, node, pair, ca, store].map(String);
  const files = [lists, named, deploy].map((all) => all.join('\n'));
  if ([directories, check, reload, lists, named, deploy].flat().some((word) => word.includes('\n')))
    throw new Error('a path or command of agent.toml holds a line break');
  const child = spawn('/bin/sh', [script, ifconfig, sysctl, pfctl, ...words, ngctl, ...files], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: '/sbin:/bin:/usr/sbin:/usr/bin', LC_ALL: 'C' },
    cwd: '/',
    detached: true,
  });
  child.unref();
  let hangs = (): void => {};
  const hung = new Promise<void>((resolve) => (hangs = resolve));
  const silence = watchSilence(systemClock, hangMs, () => hangs());
  const turn = turns((text, number) => {
    child.stdin.write(text);
    silence.asked(number);
  });
  let waiting: Waiting[] = [];
  let sequence = 0;
  let gone = false;
  let rest = '';
  /** Lines whose number has not come yet. */
  const output: string[] = [];

  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (chunk: string) => {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  // A write to a helper that has ended; `ended` tells.
  child.stdin.on('error', () => undefined);

  function take(line: string): void {
    if (line.startsWith(' ')) return void output.push(line.slice(1));
    const [, number, verdict, said = ''] = /^(\d+) (\w+)(?: (.*))?$/.exec(line) ?? [];
    // One that was never asked ends nothing.
    if (number === undefined || Number(number) > sequence) return;
    silence.answered(Number(number));
    // Lines belong to the number that follows them, whether anybody still waits for it or not.
    const lines = output.splice(0);
    const at = waiting.findIndex((one) => one.sequence === Number(number));
    const [answered] = at < 0 ? [] : waiting.splice(at, 1);
    if (verdict === 'ok') answered?.done(null, '', lines);
    else answered?.done(verdict === 'refused' ? 'refused' : 'failed', `${verdict}: ${said}`, lines);
  }

  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      gone = true;
      silence.stop();
      for (const one of waiting) one.done('ended', 'it has ended', output);
      waiting = [];
      resolve();
    };
    child.once('error', end);
    // Not 'exit': its last answer may still be on the way.
    child.once('close', end);
  });

  function wait(
    number: number,
    asked: readonly string[],
    limitMs: number,
  ): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting = waiting.filter((one) => one.sequence !== number);
        turn.settled(number);
        reject(new HelperError(asked, 'silent', `no answer within ${limitMs} ms`));
      }, limitMs);
      const done: Waiting['done'] = (failure, said, lines) => {
        clearTimeout(timer);
        turn.settled(number);
        if (failure === null) resolve(lines);
        else reject(new HelperError(asked, failure, [said, ...lines].join('\n')));
      };
      waiting.push({ sequence: number, done });
    });
  }

  await wait(0, ['start'], START_MS);
  return {
    pid: child.pid ?? 0,
    ask(words, limitMs, content = '') {
      // The helper answers such a line without its number, so that nobody would hear it.
      if (words.some((word) => !WORD.test(word)))
        return Promise.reject(new HelperError(words, 'refused', `refused: ${STRANGE}`));
      if (words.join(' ').length > LONGEST)
        return Promise.reject(new HelperError(words.slice(0, 1), 'refused', 'refused: too long'));
      if (gone) return Promise.reject(new HelperError(words, 'ended', 'it has ended'));
      const number = ++sequence;
      const answer = wait(number, words, limitMs);
      turn.add(number, [number, ...words].join(' '), content);
      return answer;
    },
    ended,
    hung,
    close: () => void child.stdin.end(),
  };
}
