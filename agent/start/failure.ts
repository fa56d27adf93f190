import { dirname } from 'node:path';
import type { Config } from '../config/config.ts';
import { accountOf } from '../privilege/account.ts';
import { ListenError } from '../rpc/listen.ts';
import { readTls, TlsError } from '../rpc/tls-files.ts';
import { execWithin } from '../sys/exec.ts';

/** Why the agent does not start, for whoever started it. */
export interface StartFailure {
  readonly cause: string;
  /** Empty where the cause says it, or nothing is known. */
  readonly remedy: string;
}

const ID_MS = 10_000;

/** As a sentence with cause and remedy, for standard error. */
export const failureText = ({ cause, remedy }: StartFailure): string =>
  `proxyagent: ${cause}${remedy === '' ? '' : `\n  do      ${remedy}`}`;

/** An agent that runs and has lost its helper: root cannot be had back, so it ends. */
export const lostFailure = (error: unknown): StartFailure => ({
  cause: error instanceof Error ? error.message : String(error),
  remedy: 'wait: daemon(8) starts the agent again in 5 s, and addresses stay until then',
});

/** Names the key of agent.toml that an error of the start comes from, and what to do. */
export function startFailure(error: unknown, config: Config): StartFailure {
  const cause = error instanceof Error ? error.message : String(error);
  if (error instanceof TlsError) return { cause, remedy: error.remedy };
  if (error instanceof ListenError) return { cause, remedy: listenRemedy(error) };
  const path = pathOf(error);
  if (path === null) return { cause, remedy: '' };
  const { state, log, user } = config;
  if (path === state || path.startsWith(`${state}/`))
    return {
      cause: `state = "${state}" cannot be used (${cause})`,
      remedy: `install -d -o ${user} -m 700 ${state}, or another state in agent.toml`,
    };
  if (log.file !== '' && [log.file, dirname(log.file)].includes(path))
    return {
      cause: `log.file = "${log.file}" cannot be opened (${cause})`,
      remedy: 'start it as root: service proxyagent start; or another log.file in agent.toml',
    };
  return { cause, remedy: '' };
}

/**
 * What keeps an agent from starting and will be so again at the next try: the user, where root is
 * to be given up, and the files of `[tls]`. Null: nothing. A certificate that ended or has not
 * begun is no reason: at boot the clock may not be set yet.
 */
export async function checkStart(config: Config, wallMs: number): Promise<StartFailure | null> {
  try {
    if (process.geteuid?.() === 0) await accountOf(execWithin(ID_MS), config.user);
    readTls(config.tls, config.pair, config.node, wallMs);
    return null;
  } catch (error) {
    if (error instanceof TlsError && error.timely) return null;
    return startFailure(error, config);
  }
}

/** The path of a system error; null for any other. */
const pathOf = (error: unknown): string | null =>
  error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : null;

function listenRemedy({ address, code }: ListenError): string {
  const port = address.replace(/^.*:/, '');
  switch (code) {
    case 'EADDRINUSE':
      return `sockstat -l -p ${port} shows who has it; or another listen in agent.toml`;
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return 'listen in agent.toml: addresses of this host, or "[::]:7660" and "0.0.0.0:7660"';
    case 'ENOENT':
      return `install -d -o root -m 755 ${dirname(address)}, or another socket.path`;
    case 'EBUSY':
      return 'stop that one first: service proxyagent onestop';
    case 'EEXIST':
      return `rm ${address}`;
    case 'EACCES':
      return 'start it as root: service proxyagent start';
    default:
      return '';
  }
}
