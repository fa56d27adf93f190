import { readFileSync } from 'node:fs';
import type { Exec } from '../sys/exec.ts';
import { plainPath, TrustError, type MayWrite } from '../sys/trust.ts';

/** A process that answers on HAProxy's stats socket, and whom nothing is believed. */
interface Asked {
  readonly pid: number;
  /** The configuration that it says it was started with. */
  readonly files: readonly string[];
  readonly exec: Exec;
  /** The account that the agent becomes. */
  readonly uid: number;
  readonly mayWrite: MayWrite;
}

/**
 * Why root does not read the files of a process's command line; empty: it may. Whoever can bind
 * the stats socket while HAProxy is down can name any process as HAProxy, and start one with any
 * arguments. So the process is called haproxy and runs as root or as the `user` of its files, never
 * as the account, and the files are none that the account could have written or led to.
 */
export async function doubtOf({ pid, files, exec, uid, mayWrite }: Asked): Promise<string> {
  const shown = await exec('ps', ['-o', 'uid=,ruid=,comm=', '-p', String(pid)]).catch(() => '');
  const [, effective, real, command] = /^\s*(\d+)\s+(\d+)\s+(\S.*?)\s*$/.exec(shown) ?? [];
  if (effective === undefined || real === undefined || command === undefined)
    return `process ${pid} is not there`;
  if (!/(?:^|\/)haproxy$/.test(command)) return `process ${pid} is ${command}, not haproxy`;
  const owners = [Number(effective), Number(real)];
  if (owners.includes(uid)) return `process ${pid} is the agent's own user's`;
  let texts: readonly string[];
  try {
    texts = files.map((file) => readFileSync(plainPath(file, mayWrite), 'utf8'));
  } catch (error) {
    if (error instanceof TrustError) return `the agent's own user could write ${error.at}`;
    throw error;
  }
  const users = await Promise.all(texts.flatMap(usersOf).map((user) => uidOf(exec, user)));
  return owners.every((owner) => owner === 0 || users.includes(owner))
    ? ''
    : `process ${pid} is uid ${effective}'s, neither root's nor of its own configuration's user`;
}

/** `user` and `uid` of global sections (configuration manual, 3.1). */
const usersOf = (text: string): string[] =>
  [...text.matchAll(/^[ \t]*(?:user|uid)[ \t]+"?([\w.-]+)"?[ \t\r]*(?:#.*)?$/gm)].map(
    ([, user = '']) => user,
  );

const uidOf = async (exec: Exec, user: string): Promise<number> =>
  /^\d+$/.test(user)
    ? Number(user)
    : exec('/usr/bin/id', ['-u', user]).then(
        (text) => Number(text),
        () => -1,
      );
