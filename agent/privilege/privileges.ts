import { directActs, type CarpActs } from '../carp/acts.ts';
import { certificateFiles } from '../certs/files.ts';
import type { CertificateFiles } from '../certs/port.ts';
import type { Deployments } from '../core/deploy/deployments.ts';
import { become, giveDirectory, groupsOf, keepDirectory, type Account } from './account.ts';
import { helperActs, helperFiles, refusedActs } from './acts.ts';
import { certificateNames } from './certificate-names.ts';
import { directCommands, helperCommands, type HostCommands } from './commands.ts';
import { helperDeployments, noDeployments } from './deployments.ts';
import { startHelper, type DeployOptions, type Helper } from './helper.ts';
import { helperWill, type Will } from './will.ts';
import { execWithin, type Exec } from '../sys/exec.ts';
import { byAccount } from '../sys/trust.ts';

/** What this agent may do on its host, and through whom. */
export interface Privileges {
  readonly acts: CarpActs;
  readonly files: CertificateFiles;
  readonly commands: HostCommands;
  /** Signed configurations of HAProxy, where root allows them. */
  readonly deployments: Deployments;
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
  readonly node: string;
  readonly pair: string;
  readonly tls: { readonly ca: string };
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
    /** Whether signed configurations may take the place of `config`. */
    readonly deploy: boolean;
  };
  /** No directory: where haproxy.conf has its certificates. */
  readonly certificates: { readonly directories: readonly string[] };
  /** Directory of state.json and the journals. */
  readonly state: string;
}

const COMMAND_MS = 30_000;
/** Each of its tools is killed after 2 s: one that cannot be killed keeps it from the next request. */
const CARP_HANG_MS = 20_000;
const NOT_ALLOWED =
  'root does not allow it: deploy = true in [haproxy] of agent.toml, and a restart of the agent';
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
  const deploy = deployOf(config);
  const direct = { ...own, drop: nothing, close: nothing };
  if (uid !== 0) {
    const observes = `the agent runs as uid ${uid}, not as root: it observes and sets nothing`;
    const deployments = noDeployments(observes);
    return { ...direct, deployments, acts: refusedActs(observes), observes, by: 'nobody' };
  }
  if (account === null) {
    keepDirectory(config.state);
    const root = { ...direct, acts: directActs(exec, tools), by: 'itself, as root' };
    if (deploy === null) return { ...root, deployments: noDeployments(NOT_ALLOWED) };
    const none = { directories: [], lists: [], named: [] };
    const one = watched([await startHelper({ ...tools, ...config.haproxy, ...none, deploy })]);
    return { ...root, ...one, deployments: helperDeployments(one.helpers[0]) };
  }
  await giveDirectory(config.state, account);
  const mayWrite = byAccount({ uid: account.uid, groups: await groupsOf(exec, account) });
  const names = await certificateNames(config, { uid: account.uid, mayWrite }, exec);
  const options = { ...tools, ...config.haproxy, ...names, deploy: null };
  const { helpers, lost, close } = watched([
    await startHelper(options, undefined, CARP_HANG_MS),
    await startHelper({ ...options, deploy }),
  ]);
  const [carp, files] = helpers;
  return {
    acts: helperActs(carp),
    files: helperFiles(files),
    commands: helperCommands(files),
    deployments: deploy === null ? noDeployments(NOT_ALLOWED) : helperDeployments(files),
    will: helperWill(carp),
    observes: '',
    by: `helper (${helpers.map(({ pid }) => pid).join(', ')})`,
    drop: () => become(account),
    lost,
    close,
  };
}

/** What is deployed lies beside the state, which is the account's. */
const deployOf = ({ node, pair, tls, haproxy, state }: HostConfig): DeployOptions | null =>
  haproxy.deploy
    ? {
        config: haproxy.config,
        node,
        pair,
        ca: tls.ca,
        store: `${state.replace(/\/+$/, '')}-deployed`,
      }
    : null;

/** That a helper has ended or hangs, unless it was to end. */
function watched<T extends readonly [Helper, ...Helper[]]>(
  helpers: T,
): Pick<Privileges, 'lost' | 'close'> & { readonly helpers: T } {
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
    helpers,
    lost,
    close() {
      closing = true;
      for (const helper of helpers) helper.close();
    },
  };
}
