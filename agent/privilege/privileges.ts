import { directActs, type CarpActs } from '../carp/acts.ts';
import { certificateFiles } from '../certs/files.ts';
import type { CertificateFiles } from '../certs/port.ts';
import { become, giveDirectory, groupsOf, keepDirectory, type Account } from './account.ts';
import { helperActs, helperFiles, refusedActs } from './acts.ts';
import { certificateNames } from './certificate-names.ts';
import { directCommands, helperCommands, type HostCommands } from './commands.ts';
import { startHelper, type Helper } from './helper.ts';
import { helperWill, type Will } from './will.ts';
import { execWithin, type Exec } from '../sys/exec.ts';
import { byAccount } from '../sys/trust.ts';

/** What this agent may do on its host, and through whom. */
export interface Privileges {
  readonly acts: CarpActs;
  readonly files: CertificateFiles;
  readonly commands: HostCommands;
  /** Without a helper nobody is told. */
  readonly will: Will;
  /** Why it only observes; empty when it may act. */
  readonly observes: string;
  /** Who does what needs root, for the log. */
  readonly by: string;
  /** Gives root up, where that is wanted; call once what needs root is open. */
  drop(): void;
  /** Rejects when a helper ends by itself, or hangs; never resolves. */
  readonly lost: Promise<never>;
  /** Ends the helpers; a fence is lifted. */
  close(): void;
}

/** What of agent.toml this needs. */
interface HostConfig {
  readonly carp: {
    readonly tools: {
      readonly ifconfig: string;
      readonly sysctl: string;
      readonly pfctl: string;
      readonly ngctl: string;
    };
  };
  readonly haproxy: {
    /** Path of haproxy.conf. */
    readonly config: string;
    /** Its stats socket; empty or absent: the one that haproxy.conf names. */
    readonly socket?: string;
    readonly check: readonly string[];
    readonly reload: readonly string[];
  };
  /** No directory: where haproxy.conf has its certificates. */
  readonly certificates: { readonly directories: readonly string[] };
  /** Directory of state.json and the journals. */
  readonly state: string;
}

const COMMAND_MS = 30_000;
/** Each of its tools is killed after 2 s: one that cannot be killed keeps it from the next request. */
const CARP_HANG_MS = 20_000;
const NEVER = new Promise<never>(() => undefined);

/**
 * As root with an `account`: starts the privileged helper, one for CARP and one for files and
 * commands, so that no reload delays a fence; the state directory becomes the account's. As root
 * without one: everything directly. Not as root: observes only.
 */
export async function takePrivileges(
  config: HostConfig,
  account: Account | null,
  exec: Exec,
): Promise<Privileges> {
  const { tools } = config.carp;
  const uid = process.geteuid?.() ?? -1;
  const nothing = (): void => undefined;
  const commands = directCommands(execWithin(COMMAND_MS), tools.pfctl, config.haproxy);
  const will: Will = () => Promise.resolve();
  const own = { files: certificateFiles, commands, will, observes: '', lost: NEVER };
  const direct = { ...own, drop: nothing, close: nothing };
  if (uid !== 0) {
    const observes = `the agent runs as uid ${uid}, not as root: it observes and sets nothing`;
    return { ...direct, acts: refusedActs(observes), observes, by: 'nobody' };
  }
  if (account === null) {
    keepDirectory(config.state);
    return { ...direct, acts: directActs(exec, tools), by: 'itself, as root' };
  }
  await giveDirectory(config.state, account);
  const mayWrite = byAccount({ uid: account.uid, groups: await groupsOf(exec, account) });
  const names = await certificateNames(config, { uid: account.uid, mayWrite }, exec);
  const options = { ...tools, ...config.haproxy, ...names };
  const helpers: readonly [Helper, Helper] = [
    await startHelper(options, undefined, CARP_HANG_MS),
    await startHelper(options),
  ];
  const [carp, files] = helpers;
  let closing = false;
  const how = helpers.flatMap(({ ended, hung, pid }) => [
    ended.then(() => `(pid ${pid}) has ended: nothing can be set without it`),
    hung.then(() => `(pid ${pid}) hangs: it waits for a tool that does not end`),
  ]);
  const lost = Promise.race(how).then((words) => {
    if (closing) return NEVER;
    throw new Error(`the privileged helper ${words}`);
  });
  // Whoever started the agent looks at it; a start that fails before has its own error.
  lost.catch(() => undefined);
  return {
    acts: helperActs(carp),
    files: helperFiles(files),
    commands: helperCommands(files),
    will: helperWill(carp),
    observes: '',
    by: `helper (${helpers.map(({ pid }) => pid).join(', ')})`,
    drop: () => become(account),
    lost,
    close() {
      closing = true;
      for (const helper of helpers) helper.close();
    },
  };
}
