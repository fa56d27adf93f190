import type { Exec } from '../sys/exec.ts';
import type { Helper } from './helper.ts';

/** What of this host needs root and changes nothing of CARP; each resolves to what it printed. */
export interface HostCommands {
  /** What `pfctl -s info` prints. */
  pfInfo(): Promise<string>;
  /** The filter rules, as `pfctl -sr` prints them. */
  pfRules(): Promise<string>;
  /** What pf does on each interface, as `pfctl -sI -v` prints it: only `set skip` shows there. */
  pfInterfaces(): Promise<string>;
  /**
   * Lines of rc.conf, and of the files read after it for the network, that make a vhid or start what
   * acts on CARP, each FILE:LINE:TEXT, passwords replaced: for an agent that may not read them itself.
   */
  rcLines(): Promise<string>;
  /**
   * HAProxy's processes as root sees them, a line each as ps(1) has it: pid, parent, jail, command.
   * Empty where nobody sees more than this user does.
   */
  processes(): Promise<string>;
  /** The command `haproxy.check` of agent.toml. */
  check(): Promise<string>;
  /** The command `haproxy.reload` of agent.toml. */
  reload(): Promise<string>;
}

/** The helper waits 30 s for a command, and leaves it alone then. */
const COMMAND_MS = 35_000;
/** Readings of HAProxy wait for it, and a command may be under way: then it is asked again later. */
const PROCESSES_MS = 1000;

export function helperCommands(helper: Helper): HostCommands {
  const ask = async (verb: string, limitMs = COMMAND_MS): Promise<string> =>
    (await helper.ask([verb], limitMs)).map((line) => `${line}\n`).join('');
  return {
    pfInfo: () => ask('pf-info'),
    pfRules: () => ask('pf-rules'),
    pfInterfaces: () => ask('pf-interfaces'),
    rcLines: () => ask('rc-lines'),
    processes: () => ask('processes', PROCESSES_MS),
    check: () => ask('check'),
    reload: () => ask('reload'),
  };
}

/** With this process's own rights. */
export function directCommands(
  exec: Exec,
  pfctl: string,
  haproxy: { readonly check: readonly string[]; readonly reload: readonly string[] },
): HostCommands {
  const run = ([file, ...args]: readonly string[]): Promise<string> =>
    file === undefined
      ? Promise.reject(new Error('not configured in agent.toml'))
      : exec(file, args);
  return {
    pfInfo: () => run([pfctl, '-s', 'info']),
    pfRules: () => run([pfctl, '-sr']),
    pfInterfaces: () => run([pfctl, '-sI', '-v']),
    rcLines: () => Promise.reject(new Error('/etc/rc.conf cannot be read as this user')),
    processes: () => Promise.resolve(''),
    check: () => run(haproxy.check),
    reload: () => run(haproxy.reload),
  };
}
