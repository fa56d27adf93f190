import type { Exec } from '../sys/exec.ts';
import type { Helper } from './helper.ts';

/** What of this host needs root and changes nothing of CARP; each resolves to what it printed. */
export interface HostCommands {
  /** The filter rules, as `pfctl -sr` prints them. */
  pfRules(): Promise<string>;
  /** The command `haproxy.check` of agent.toml. */
  check(): Promise<string>;
  /** The command `haproxy.reload` of agent.toml. */
  reload(): Promise<string>;
}

/** The helper ends a command after 30 s. */
const COMMAND_MS = 35_000;

export function helperCommands(helper: Helper): HostCommands {
  const ask = async (verb: string): Promise<string> =>
    (await helper.ask([verb], COMMAND_MS)).map((line) => `${line}\n`).join('');
  return {
    pfRules: () => ask('pf-rules'),
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
    pfRules: () => run([pfctl, '-sr']),
    check: () => run(haproxy.check),
    reload: () => run(haproxy.reload),
  };
}
