import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from '../ctl/command.ts';
import { TREE } from '../packaging/clones.ts';

/** The collection, and where Ansible would have it below `ansible_collections`. */
export const COLLECTION = join(TREE, 'packaging/ansible');

export const pythonMissing = (): boolean =>
  spawnSync('python3', ['--version'], { stdio: 'ignore' }).error !== undefined;

/** Puts the collection where Python looks for it below `folder`, as Ansible does. */
export function linkCollection(folder: string): void {
  mkdirSync(join(folder, 'ansible_collections/proxyctl'), { recursive: true });
  symlinkSync(COLLECTION, join(folder, 'ansible_collections/proxyctl/pair'));
}

const CALLS = `
import json, sys
sys.path.insert(0, sys.argv[1])
import proxyctl
print(json.dumps([getattr(proxyctl, name)(*args) for name, *args in json.load(sys.stdin)]))
`;

const run = async (args: readonly string[], stdin: unknown, env = {}): Promise<unknown> => {
  const child = spawn('python3', ['-B', ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const { stdout, stderr } = await finished(child, JSON.stringify(stdin));
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as unknown;
};

/** Calls functions of what the modules share: each by its name, with its arguments. */
export const calls = (...wanted: readonly (readonly [string, ...unknown[]])[]): Promise<unknown> =>
  run(['-c', CALLS, join(COLLECTION, 'plugins/module_utils')], wanted);

/** What a module returned. */
export interface Told {
  readonly failed?: boolean;
  readonly changed: boolean;
  readonly exit_code?: number;
  readonly msg?: string;
  readonly skipped?: boolean;
  readonly diff?: { readonly before: string; readonly after: string };
  readonly warnings?: readonly string[];
}

/** A runner of modules without Ansible; they run `proxyctl`, a script of Node's, under `config`. */
export function moduleRunner(folder: string, proxyctl: string, config: string) {
  linkCollection(folder);
  const executable = join(folder, 'proxyctl');
  writeFileSync(executable, `#!/bin/sh\nexec ${process.execPath} ${proxyctl} "$@"\n`, {
    mode: 0o755,
  });
  const path = [join(TREE, 'test/ansible/stand-in'), folder].join(':');
  return async (name: string, params: object, check = false): Promise<Told> =>
    (await run(
      [join(COLLECTION, `plugins/modules/${name}.py`)],
      { params: { executable, ...params }, check },
      { PYTHONPATH: path, PROXYCTL_CONFIG: config },
    )) as Told;
}
