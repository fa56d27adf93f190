import { dirname } from 'node:path';
import { openSendToAll, type SendToAll } from '../carp/raw-tell.ts';
import type { Config } from '../config/config.ts';
import { sentence } from '../core/words.ts';
import type { Log } from '../log.ts';
import type { Account } from '../privilege/account.ts';
import { takePrivileges, type Privileges } from '../privilege/privileges.ts';
import { bind, type Bound } from '../rpc/bound.ts';
import { secondPath, type SecondPath } from '../witness/second-path.ts';
import type { Clock } from '../sys/clock.ts';
import { execWithin } from '../sys/exec.ts';
import { isRootsAlone } from '../sys/trust.ts';

/** What had to be opened as root; root is given up by now where it was to be. */
export interface Opened {
  readonly privileges: Privileges;
  readonly second: SecondPath;
  /** Null where no raw socket may be had, or agent.toml wants none. */
  readonly sendToAll: SendToAll | null;
  readonly bound: Bound;
}

const TOOL_MS = 2000;

/**
 * Everything that needs root, in this order: the helper, raw sockets, ports, and the unix
 * sockets where only root can write; then this process becomes `account` (null: stays who it is). Nothing from outside has been read until here.
 */
export async function openAsRoot(
  options: Parameters<typeof secondPath>[0] & {
    readonly config: Config;
    readonly clock: Clock;
    readonly log: Log;
    readonly account: Account | null;
  },
): Promise<Opened> {
  const { config, log, account } = options;
  const privileges = await takePrivileges(config, account, execWithin(TOOL_MS));
  const second = await secondPath(options);
  if (second.why !== '') log.info('icmp', { using: second.icmp }, second.why);
  const sendToAll = second.icmp === 'raw-socket' ? sendToAllHere(log) : null;
  // Where somebody else can write, root would give a group whatever stands in the socket's place.
  const rootsAlone = isRootsAlone(dirname(config.socket.path));
  const drop = (): void => privileges.drop();
  const bound = await bind(config, rootsAlone ? undefined : drop);
  if (rootsAlone) drop();
  const { by } = privileges;
  const user = account?.name ?? 'as started';
  log.info('privileges', { by, user }, `${user}; what needs root is done by ${by}`);
  return { privileges, second, sendToAll, bound };
}

/** It is the second way of two: without it the agent starts all the same. */
function sendToAllHere(log: Log): SendToAll | null {
  try {
    return openSendToAll();
  } catch (error) {
    log.info('icmp', { using: 'raw-socket' }, `not for IPv6 neighbours: ${sentence(error)}`);
    return null;
  }
}
