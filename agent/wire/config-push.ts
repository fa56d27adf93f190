import type { proxyctl } from '../../proto/gen/messages.js';
import { RISKS, type ConfigPushAct } from '../core/acts.ts';
import { SWAP_WORDS, type SwapStanding } from '../core/certs/swap.ts';
import type { DeployState } from '../core/deploy/deployments.ts';
import {
  PUSH_STEPS,
  type PushPrepare,
  type PushReading,
  type PushStep,
} from '../core/deploy/push-messages.ts';
import type { ConfigVersions, NodeVersions } from '../core/deploy/versions.ts';
import { PUSHED, type PushedConfig } from '../core/results.ts';
import { headerFromWire, headerToWire } from './acts.ts';
import { COUNTS, LENGTHS, listed, named, short } from './bounds.ts';
import { messageFromWire } from './deploy.ts';
import { each, filled, oneOf, present, within, wordOrUnknown } from './fields.ts';

const MOST_SETTLE_MS = 60_000;
const MOST_NUMBER = 999_999_999_999_999;
/** Root keeps ten. */
const MOST_VERSIONS = 100;

/** A push as it travels. */
export const configPushToWire = (
  act: ConfigPushAct,
): proxyctl.v1.PushConfigRequest.$Properties => ({
  header: headerToWire(act.header),
  message: act.message,
  settleMs: act.settleMs,
});

/** The same on arrival; throws WireError. */
export const configPushFromWire = (wire: proxyctl.v1.PushConfigRequest): ConfigPushAct => ({
  header: headerFromWire(wire.header),
  message: messageFromWire(wire.message),
  settleMs: within('settle_ms', wire.settleMs, 0, MOST_SETTLE_MS),
});

/** What a push asks of a node first, as it travels. */
export const pushPrepareToWire = ({
  acceptRisks,
  members,
  ...rest
}: PushPrepare): proxyctl.v1.PushPrepareRequest.$Properties => ({
  ...rest,
  acceptRisks: [...acceptRisks],
  members: [...members],
});

/** The same on arrival; throws WireError. */
export const pushPrepareFromWire = (wire: proxyctl.v1.PushPrepareRequest): PushPrepare => ({
  pushId: named('push_id', wire.pushId),
  message: messageFromWire(wire.message),
  dryRun: wire.dryRun,
  acceptRisks: listed('accept_risks', wire.acceptRisks, COUNTS.risks, (risk, at) =>
    oneOf(at, risk, RISKS),
  ),
  coordinator: named('coordinator', wire.coordinator),
  members: listed('members', wire.members, COUNTS.nodes, (node, at) => named(at, node)),
  settleMs: within('settle_ms', wire.settleMs, 0, MOST_SETTLE_MS),
  actor: short('actor', wire.actor, LENGTHS.actor),
  reason: short('reason', wire.reason, LENGTHS.reason),
});

/** What a node says of a push, as it travels. */
export const pushReadingToWire = (reading: PushReading): proxyctl.v1.PushReply.$Properties => ({
  ...reading,
  lines: [...reading.lines],
});

/** The same on arrival; throws WireError. */
export const pushReadingFromWire = ({
  node,
  number,
  already,
  lines,
}: proxyctl.v1.PushReply): PushReading => ({
  node,
  number: numberOf('number', number),
  already,
  lines: lines.slice(0, 200),
});

/** Throws WireError. */
export const pushStepFromWire = (
  wire: proxyctl.v1.PushStepRequest,
): { readonly pushId: string; readonly step: PushStep } => ({
  pushId: named('push_id', wire.pushId),
  step: oneOf('step', wire.step, PUSH_STEPS),
});

/** How far a push is on a node, on arrival. */
export const pushStandingFromWire = ({
  phase,
  running,
}: proxyctl.v1.PushStateReply): SwapStanding => {
  const word = wordOrUnknown(phase, SWAP_WORDS);
  return { phase: word, running };
};

/** Throws WireError. */
export const numberOf = (field: string, number: number): number => {
  if (!Number.isSafeInteger(number)) return within(field, Number.NaN, 0, MOST_NUMBER);
  return within(field, number, 0, MOST_NUMBER);
};

/** What root has of configurations on a host, as it travels. */
export const deployStateToWire = (state: DeployState): proxyctl.v1.DeployState.$Properties => ({
  digest: state.digest,
  form: state.form,
  last: state.last,
  state: state.state,
  versions: state.versions.map((one) => ({ ...one })),
});

/** The same on arrival; throws WireError. */
export function deployStateFromWire(
  wire: proxyctl.v1.DeployState.$Properties | null | undefined,
): DeployState {
  const { digest, form, last, state, versions } = present('state', wire);
  return {
    digest: digest ?? '',
    form: form === 'directory' ? 'directory' : 'file',
    last: numberOf('state.last', last ?? 0),
    state: (['pending', 'kept', 'back'] as const).find((one) => one === state) ?? 'none',
    versions: each('state.versions', (versions ?? []).slice(0, MOST_VERSIONS), (one, at) => ({
      number: numberOf(`${at}.number`, one.number ?? 0),
      who: one.who ?? '',
      madeS: one.madeS ?? 0,
      installedS: one.installedS ?? 0,
      digest: one.digest ?? '',
      before: one.before ?? '',
      reason: one.reason ?? '',
    })),
  };
}

/** What every node has, a message a node. */
export function* versionsToWire({
  node: answeredBy,
  nodes,
}: ConfigVersions): Generator<proxyctl.v1.ConfigVersionsReply.$Properties> {
  for (const { node, problem, state } of nodes)
    yield {
      answeredBy,
      node,
      problem,
      ...(state === null ? {} : { state: deployStateToWire(state) }),
    };
}

/** The same on arrival; throws WireError. */
export const versionsFromWire = (
  pieces: readonly proxyctl.v1.ConfigVersionsReply[],
): ConfigVersions => ({
  node: filled('answered_by', pieces[0]?.answeredBy ?? ''),
  nodes: pieces.map(({ node, problem, state }): NodeVersions => ({
    node: filled('node', node),
    problem,
    state: problem === '' ? deployStateFromWire(state) : null,
  })),
});

/** What a push has come to, as it travels. */
export const pushedToWire = ({
  number,
  nodes,
}: PushedConfig): proxyctl.v1.PushedConfig.$Properties => ({
  number,
  nodes: nodes.map((one) => ({ ...one })),
});

/** The same on arrival. */
export const pushedFromWire = ({ number, nodes }: proxyctl.v1.PushedConfig): PushedConfig => ({
  number,
  nodes: nodes.map(({ node, outcome }) => ({ node, outcome: wordOrUnknown(outcome, PUSHED) })),
});
