import type { AdminState } from '../../agent/core/acts.ts';
import type { ActError, ActResult, Progress } from '../../agent/core/results.ts';
import type { Agent } from '../connect/client.ts';
import { asFailure } from '../failure.ts';
import { saidOnce } from '../render/acts.ts';
import { userName } from '../session.ts';
import type { Act, Row } from './model.ts';

/** Capitals: nobody types them in passing. */
const STATES: Readonly<Record<string, AdminState>> = { D: 'drain', R: 'ready', M: 'maint' };
/** What an agent has for it, ms. */
const ACT_MS = 15_000;

/** Whether the key is one that acts. */
export const isAct = (key: string): boolean => key in STATES;

/** What this key does with a row; null: nothing. */
export function actOf(key: string, { name, cells, servers }: Row): Act | null {
  const state = STATES[key];
  if (state === undefined) return null;
  const sessions = cells.reduce((sum, cell) => sum + (cell?.sessions ?? 0), 0);
  const all = name.includes('/') ? name : `all ${servers} servers of ${name}`;
  const has = sessions === 1 ? '1 session' : `${sessions} sessions`;
  return { state, target: name, question: `${state} ${all} on every node (${has})?` };
}

/** Does it; what came of it, in one line of any length. Never rejects. */
export async function perform(
  agent: Pick<Agent, 'setServers'>,
  { state, target }: Act,
  requestId: string,
): Promise<string> {
  const warnings: string[] = [];
  const report = ({ step, text }: Progress): void => {
    if (step === 'warning') warnings.push(text);
  };
  const header = {
    requestId,
    actor: userName(),
    reason: '',
    acceptRisks: [],
    dryRun: false,
    timeoutMs: ACT_MS,
    seen: null,
  };
  const asked = { header, targets: [target], state, untilMs: null, wait: null };
  const said = await agent.setServers(asked, report).then(outcomeOf, (error: unknown) => {
    return sentenceOf(asFailure(error).detail);
  });
  return [`${state} ${target}: ${said}`, ...warnings].join('; ');
}

function outcomeOf(result: ActResult): string {
  const error = saidOnce(result);
  const done = result.nodes.filter(({ ok }) => ok).map(({ node }) => node);
  const on = done.length === 0 ? '' : `done on ${done.join(', ')}`;
  if (error !== null) return [...(on === '' ? [] : [`${on} only`]), sentenceOf(error)].join('; ');
  return result.changed ? on : 'already so';
}

const sentenceOf = ({ message, cause, remediation }: ActError): string =>
  [
    `${message}${cause === '' ? '' : ` (${cause})`}`,
    ...(remediation === '' ? [] : [remediation]),
  ].join('; ');
