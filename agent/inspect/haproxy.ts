import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Inspection } from '../core/doctor/inspection.ts';
import { withoutSecrets } from '../core/secrets.ts';
import { sentence } from '../core/words.ts';
import { RuntimeError, type Runtime } from '../haproxy/runtime.ts';
import { parseCertificateList } from '../haproxy/certificates.ts';
import type { HostCommands } from '../privilege/commands.ts';
import { HelperError } from '../privilege/helper.ts';
import { CommandError } from '../sys/exec.ts';
import { isSystemError } from '../sys/files.ts';

type Value<P extends 'running' | 'check' | 'level' | 'lowered'> = Extract<
  Inspection[P],
  { readonly value: unknown }
>['value'];

/** At most so many lines of what HAProxy says are passed on. */
const LINES = 3;

/** Runs the configured check, `argv`. Rejects where the program itself cannot be run. */
export async function inspectCheck(
  run: HostCommands['check'],
  argv: readonly string[],
): Promise<Value<'check'>> {
  const [program] = argv;
  if (program === undefined) throw new Error('haproxy.check of agent.toml is empty');
  const command = argv.join(' ');
  try {
    await run();
    return { ok: true, command, said: [] };
  } catch (error) {
    // 126 and 127 are the helper's shell: there is no such program.
    if (error instanceof HelperError && /^.*failed: exit (?!12[67]$)\d+$/m.test(error.message))
      return { ok: false, command, said: alertsIn(error.message) };
    if (!(error instanceof CommandError) || error.failure.kind !== 'exit') throw error;
    // An agent that is not root cannot read the keys; that says nothing of the configuration.
    if (
      process.geteuid?.() !== 0 &&
      /permission denied|certificate|cannot open/i.test(error.stderr)
    )
      throw new Error(`${program} -c cannot read all files as this user`, { cause: error });
    return { ok: false, command, said: alertsIn(error.stderr) };
  }
}

/** The alerts of `haproxy -c` without level and pid; lines that may repeat a password are withheld. */
export function alertsIn(stderr: string): string[] {
  const alerts = stderr.split('\n').filter((line) => line.startsWith('[ALERT]'));
  const texts = alerts.map((line) =>
    line.replace(/^\[ALERT\]\s*\(\d+\) : (config : )?/, '').trim(),
  );
  const shown = texts.map((text) =>
    /auth|passw|secret/i.test(text)
      ? 'an error in a line about passwords (not shown)'
      : withoutSecrets(text),
  );
  return shown.length > 0 ? shown.slice(0, LINES) : ['it ends with an error and names no line'];
}

/** Whether HAProxy answers; rejects where the agent may not ask it. */
export async function inspectRunning(ask: Runtime): Promise<Value<'running'>> {
  try {
    await ask('show version');
    return { answers: true, why: '' };
  } catch (error) {
    const kind = error instanceof RuntimeError ? error.failure.kind : null;
    if (kind !== 'missing' && kind !== 'refused' && kind !== 'timeout') throw error;
    return { answers: false, why: sentence(error).replace(/^show version: /, '') };
  }
}

/** The level of the stats socket at `path`: "unix@/a.sock admin all" of `show cli sockets`. */
export async function inspectLevel(ask: Runtime, path: string): Promise<Value<'level'>> {
  const text = await ask('show cli sockets');
  const line = text.split('\n').find((one) => one.startsWith(`unix@${path} `));
  const level = line?.split(' ')[1];
  if (level === undefined) throw new RuntimeError('show cli sockets', path, { kind: 'text', text });
  return { path, level };
}

/** srv_admin_state of `show servers state`: told at runtime, not by `disabled` in the file (04). */
const [MAINT, DISABLED, DRAIN] = [0x01, 0x04, 0x08];

/** Servers that HAProxy was told to drain or take out. */
export async function inspectLowered(ask: Runtime): Promise<Value<'lowered'>> {
  const text = await ask('show servers state');
  const [, header = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '');
  const columns = header.slice(2).split(' ');
  const [backendAt, serverAt, adminAt] = ['be_name', 'srv_name', 'srv_admin_state'].map((one) =>
    columns.indexOf(one),
  );
  return lines.flatMap((line) => {
    const cells = line.split(' ');
    const [backend, server] = [cells[backendAt ?? -1], cells[serverAt ?? -1]];
    const bits = Number(cells[adminAt ?? -1]);
    if (backend === undefined || server === undefined || !Number.isInteger(bits))
      throw new RuntimeError('show servers state', '', { kind: 'text', text: line });
    if ((bits & DRAIN) !== 0) return [{ backend, server, state: 'drain' }];
    const isTaken = (bits & MAINT) !== 0 && (bits & DISABLED) === 0;
    return isTaken ? [{ backend, server, state: 'maint' }] : [];
  });
}

/** Path of the open certificate transaction; null for none, or for one of a swap under way here. */
export async function inspectTransaction(ask: Runtime, state: string): Promise<string | null> {
  const { open } = parseCertificateList(await ask('show ssl cert'));
  if (open === null) return null;
  try {
    const journals = await readdir(join(state, 'swaps'));
    return journals.some((name) => /^swap-.*\.json$/.test(name)) ? null : open;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return open;
    throw error;
  }
}
