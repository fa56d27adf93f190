import { getSysctl, setSysctl, SYSCTL_NAMES, type SysctlName } from './acts.ts';
import type { Host } from './host.ts';
import type { ToolRun } from './ifconfig.ts';

const PREFIX = 'net.inet.carp';

/** What `sysctl net.inet.carp` prints on this host. */
export const sysctlText = (host: Host): string =>
  SYSCTL_NAMES.map((name) => `${PREFIX}.${name}: ${getSysctl(host.kernel, name)}\n`).join('');

/** sysctl(8), as far as CARP goes: reading (-n too) and NAME=VALUE. What is written to demotion is added. */
export function sysctl(host: Host, args: readonly string[], nowMs: number, root = true): ToolRun {
  const valuesOnly = args.includes('-n');
  let run: ToolRun = { host, effects: [], stdout: '', stderr: '', code: 0 };
  for (const word of args.filter((arg) => !arg.startsWith('-'))) {
    const [path = '', value] = word.split('=');
    const name = SYSCTL_NAMES.find((known) => path === `${PREFIX}.${known}`);
    if (!host.module || (name === undefined && path !== PREFIX)) {
      const stderr = `${run.stderr}sysctl: unknown oid '${path}'\n`;
      run = { ...run, stderr, code: 1 };
    } else if (name === undefined) run = { ...run, stdout: run.stdout + sysctlText(run.host) };
    else if (value === undefined) {
      const shown = getSysctl(run.host.kernel, name);
      const line = valuesOnly ? `${shown}\n` : `${path}: ${shown}\n`;
      run = { ...run, stdout: run.stdout + line };
    } else run = write(run, name, valuesOnly ? '' : `${path}: `, path, value, root, nowMs);
  }
  return run;
}

function write(
  run: ToolRun,
  name: SysctlName,
  label: string,
  path: string,
  value: string,
  root: boolean,
  nowMs: number,
): ToolRun {
  const fail = (text: string): ToolRun => ({
    ...run,
    stderr: `${run.stderr}sysctl: ${text}\n`,
    code: 1,
  });
  if (!/^-?\d+$/.test(value)) return fail(`invalid integer '${value}'`);
  // An int of C: what does not fit is cut without a word.
  const number = Number(BigInt.asIntN(32, BigInt(value)));
  const before = getSysctl(run.host.kernel, name);
  // sysctl(8) prints the old value before it tries to write.
  const refused = (why: string): ToolRun => ({
    ...fail(`${path}=${value}: ${why}`),
    stdout: `${run.stdout}${label}${before}\n`,
  });
  if (!root) return refused('Operation not permitted');
  if (name === 'dscp' && (number < 0 || number > 63)) return refused('Invalid argument');
  const { kernel, effects } = setSysctl(run.host.kernel, name, number, nowMs);
  return {
    ...run,
    host: { ...run.host, kernel },
    effects: [...run.effects, ...effects],
    stdout: `${run.stdout}${label}${before} -> ${getSysctl(kernel, name)}\n`,
  };
}
