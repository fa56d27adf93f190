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
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name !== undefined) values.set(name, value ?? '');
  }
  const number = (name: string): number => {
    const value = values.get(name) ?? '';
    if (/^\d{1,15}$/.test(value)) return Number(value);
    throw new RuntimeError('show info', '', { kind: 'text', text });
  };
  const version = values.get('Version');
  if (version === undefined || version === '')
    throw new RuntimeError('show info', '', { kind: 'text', text });
  return {
    // "2.6.12-1+deb12u4": what an administrator calls it is the first part.
    version: /^[\d.]+(?:-dev\d+)?/.exec(version)?.[0] ?? version,
    pid: number('Pid'),
    upMs: number('Uptime_sec') * 1000,
    sessions: number('CurrConns'),
    stopping: values.get('Stopping') === '1',
  };
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
