import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { extract, readArchive } from '../packaging/archive-reader.ts';
import { PREFIX } from '../../packaging/contents.ts';
import { CHECKOUT, type HostPlan } from './plan.ts';

// The lab as packaged: what `npm run package` makes, unpacked, and started as rc.d/proxyagent does.

/**
 * Builds the package from this tree, with its changes, and unpacks it under `root`, which is outside
 * the tree: no node_modules lies above it. Throws with what the build said.
 */
export function unpackPackage(root: string): void {
  const folder = join(root, 'made');
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const program = join(CHECKOUT, 'dist/packaging/main.js');
  execFileSync(process.execPath, [program, '--allow-dirty', '--output', folder], {
    // A tree without git has no date of its own; no file of the lab shows this one.
    env: { SOURCE_DATE_EPOCH: '0', ...process.env },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  for (const name of readdirSync(folder))
    extract(readArchive(readFileSync(join(folder, name))), root);
  rmSync(folder, { recursive: true });
}

/**
 * What the unpacked rc.d/proxyagent gives to Node: the program, and its arguments with the paths of
 * this host. Throws for a variable in them that the lab knows nothing of.
 */
export function packagedAgent(root: string, host: HostPlan): readonly string[] {
  const script = readFileSync(join(root, PREFIX, 'etc/rc.d/proxyagent'), 'utf8');
  const [, program] = /^agent_program="(.+)"$/m.exec(script) ?? [];
  const [, words] = /\$\{proxyagent_node\} (\$\{agent_program\} [^"]*)"$/m.exec(script) ?? [];
  if (program === undefined || words === undefined)
    throw new Error('rc.d/proxyagent does not say how the agent starts');
  const values = new Map([
    ['agent_program', join(root, program)],
    ['proxyagent_config', host.agentConfig],
    ['leave_file', join(host.folder, 'leave')],
    ['proxyagent_args', ''],
  ]);
  const said = words.replaceAll(/\\\n/g, ' ').replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`rc.d/proxyagent starts the agent with ${name}`);
    return value;
  });
  return said.split(/\s+/).filter((word) => word !== '');
}
