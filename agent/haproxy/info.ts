import { RuntimeError, type Runtime } from './runtime.ts';

/** What `show info` says of the process. */
export interface Info {
  readonly version: string;
  readonly pid: number;
  readonly upMs: number;
  /** Sessions of clients; connections to the stats sockets are none. */
  readonly sessions: number;
  /** It ends once its sessions have ended, and accepts no new ones (SIGUSR1, a reload). */
  readonly stopping: boolean;
}

/** Parses `show info` (`Name: value` lines). Throws RuntimeError for anything else. */
export function parseInfo(text: string): Info {
  const number = (name: string): number => {
    const value = valueOf(text, name) ?? '';
    if (/^\d{1,15}$/.test(value)) return Number(value);
    throw new RuntimeError('show info', '', { kind: 'text', text });
  };
  const version = valueOf(text, 'Version') ?? '';
  if (version === '') throw new RuntimeError('show info', '', { kind: 'text', text });
  return {
    // "2.6.12-1+deb12u4": what an administrator calls it is the first part.
    version: /^[\d.]+(?:-dev\d+)?/.exec(version)?.[0] ?? version,
    pid: number('Pid'),
    upMs: number('Uptime_sec') * 1000,
    sessions: number('CurrConns'),
    stopping: valueOf(text, 'Stopping') === '1',
  };
}

/** Five of some seventy lines, twenty times a second: the others are not looked at. Null: no such line. */
function valueOf(text: string, name: string): string | null {
  const line = `${name}:`;
  let at = text.startsWith(line) ? 0 : text.indexOf(`\n${line}`) + 1;
  if (at === 0 && !text.startsWith(line)) return null;
  at += line.length;
  const end = text.indexOf('\n', at);
  return text.slice(at, end < 0 ? text.length : end).replace(/^ /, '');
}

export async function readInfo(runtime: Runtime): Promise<Info> {
  return parseInfo(await runtime('show info'));
}

/** True when `version` ("3.4.0") is at least `major.minor`. */
export function atLeast(version: string, major: number, minor: number): boolean {
  const [, a, b] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (a === undefined) return false;
  return Number(a) > major || (Number(a) === major && Number(b) >= minor);
}
