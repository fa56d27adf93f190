import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newSite, sha1Of } from '../lab/certificates.ts';
import { proxyctl } from '../lab/client.ts';
import type { LabReport } from '../lab/report.ts';
import { clash } from './actions.ts';
import { mastersNow } from './masters.ts';
import { orderOf } from './orders.ts';
import { switched } from './switched.ts';
import type { Wishes } from './wishes.ts';
import { BACKUP, MASTER, type Broken, type Episode, type Step } from './words.ts';

/** What a storm works with. */
export interface Field {
  readonly lab: LabReport;
  readonly wishes: Wishes;
  /** Tells what happens, for the report. */
  readonly say: (text: string) => void;
}

type Span = { readonly fromMs: number; readonly toMs: number };

/** What was broken and paused while it raged; Unix ms. */
export interface Storm {
  readonly broken: readonly Broken[];
  readonly paused: readonly Span[];
}

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

/** Carries out an episode, and heals everything at its end. */
export async function storm(field: Field, { steps, lengthMs }: Episode): Promise<Storm> {
  const beganMs = Date.now();
  const broken: Broken[] = [];
  const paused: Span[] = [];
  const on: Step[] = [];
  const faults = steps
    .filter(({ kind }) => kind === 'fault')
    .map(async (planned) => {
      await sleep(planned.atMs);
      const step = { ...planned, node: nodeOf(field.lab, planned.node) };
      const { name, node } = step;
      if (on.some((one) => one.node === node && clash(one.name, name))) return;
      on.push(step);
      const fromMs = Date.now();
      field.say(`${name} on ${node ?? 'everybody'} (${planned.node ?? 'all'})`);
      await switched(field.lab, step, 'on');
      await sleep(step.lastsMs);
      await switched(field.lab, step, 'off');
      field.say(`${name} off ${node ?? 'everybody'}`);
      on.splice(on.indexOf(step), 1);
      broken.push({ name, node, fromMs, toMs: Date.now() });
    });
  const verbs = (async () => {
    for (const step of steps.filter(({ kind }) => kind === 'verb')) {
      await sleep(beganMs + step.atMs - Date.now());
      const fromMs = Date.now();
      await operate(field, step);
      if (step.name === 'pause') paused.push({ fromMs, toMs: Infinity });
    }
  })();
  await Promise.all([...faults, verbs, sleep(lengthMs)]);
  return { broken, paused };
}

/** Who that is now; where nobody is MASTER it is the first. */
function nodeOf(lab: LabReport, node: string | null): string | null {
  if (node !== MASTER && node !== BACKUP) return node;
  const all = lab.nodes.map(({ name }) => name);
  const master = mastersNow(lab)[0] ?? all[0];
  return (node === MASTER ? master : all.find((name) => name !== master)) ?? null;
}

/** Exit codes that say that nothing has changed: unsafe, no such thing, changed meanwhile. */
const REFUSED: readonly number[] = [5, 8, 9];
let certificates = 0;

/** One command of the operator; what came of it is noted. */
export async function operate({ lab, wishes, say }: Field, step: Step): Promise<void> {
  const {
    argv,
    wishes: changed,
    value,
  } = orderOf(step, step.name === 'cert-push' ? await newCert(lab) : null);
  const began = Date.now();
  const { code, stdout } = await proxyctl(lab, [...argv, '--timeout', '10s', '-o', 'json']);
  for (const wish of changed)
    if (code === 0) wishes.done(wish, value);
    else if (!REFUSED.includes(code)) wishes.unclear(wish, value);
  say(`proxyctl ${argv.join(' ')}: exit ${code} in ${Date.now() - began} ms${why(stdout)}`);
}

/** What proxyctl said was wrong, in its own words. */
function why(stdout: string): string {
  try {
    const { error } = JSON.parse(stdout) as { error?: { message: string; cause: string } };
    return error === undefined ? '' : `: ${error.message} (${error.cause})`;
  } catch {
    return '';
  }
}

async function newCert({ runtime }: LabReport): Promise<{ path: string; sha1: string }> {
  const pem = await newSite(60);
  const path = join(runtime, `chaos-${++certificates}.pem`);
  writeFileSync(path, pem, { mode: 0o600 });
  return { path, sha1: sha1Of(pem) };
}
