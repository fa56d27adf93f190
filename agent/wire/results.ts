import type { ActError, ActResult, NodeOutcome, Outcome, Progress } from '../core/results.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import { drillPlanFromWire, drillPlanToWire } from './drill.ts';
import { intentFromWire, intentToWire } from './intents.ts';
import { each, enumOrUnknown, enumValue, filled, uint32, wordOrUnknown } from './fields.ts';
import { pushedFromWire, pushedToWire } from './config-push.ts';
import { checksFromWire, checksToWire } from './swaps.ts';

const OUTCOMES = [
  'reached',
  'failed',
  'usage',
  'would-change',
  'not-authorised',
  'unsafe',
  'partial',
  'result-unknown',
  'not-found',
  'conflict',
  'unreachable',
  'timeout',
] as const satisfies readonly Outcome[];
const MOVES = ['moved', 'already', 'unpinned', 'would-move', 'would-unpin', 'failed'] as const;
const SWAPS = ['swapped', 'already', 'would-swap', 'rolled-back', 'failed'] as const;

/** The wire's number of an outcome, for a failure that travels beside a status. */
export const outcomeToWire = (outcome: Outcome): proxyctl.v1.Outcome =>
  enumValue(outcome, OUTCOMES);

/** An outcome that only a newer agent knows says no more than a lost answer does. */
export const outcomeFromWire = (value: number): Outcome => {
  const outcome = enumOrUnknown(value, OUTCOMES);
  return outcome === 'unknown' ? 'result-unknown' : outcome;
};

/** One line of progress as it travels. */
export const progressToWire = ({
  part,
  tookMs,
  ...progress
}: Progress): proxyctl.v1.Progress.$Properties => ({
  ...progress,
  ...part,
  tookMs: uint32(tookMs),
});

/** One line of progress on arrival. */
export const progressFromWire = (wire: proxyctl.v1.Progress): Progress => {
  const { step, text, tookMs, done, of } = wire;
  return { step, text, tookMs, ...(of === 0 ? {} : { part: { done, of } }) };
};

/** A result as it travels; `wallMs` is this host's Unix time, for what remains of a pin. */
export function resultToWire(result: ActResult, wallMs: number): proxyctl.v1.Result.$Properties {
  const { outcome, nodes, error, addresses, servers, certificates, drill, config, ...rest } =
    result;
  return {
    ...rest,
    tookMs: uint32(rest.tookMs),
    outcome: outcomeToWire(outcome),
    nodes: nodes.map(({ error, ...node }) => ({ ...node, ...(error === null ? {} : { error }) })),
    ...(error === null ? {} : { error }),
    ...(drill === undefined ? {} : { drill: drillPlanToWire(drill) }),
    ...(config === undefined ? {} : { config: pushedToWire(config) }),
    addresses: addresses.map(({ pin, darkMsMax, sessions, vips, ...address }) => ({
      ...address,
      vips: [...vips],
      darkMsMax: darkMsMax === null ? null : uint32(darkMsMax),
      sessions: sessions === null ? null : uint32(sessions),
      ...(pin === null ? {} : { pin: intentToWire(pin, wallMs) }),
    })),
    servers: servers.map((server) => ({ ...server, sessions: uint32(server.sessions) })),
    certificates: certificates.map((one) => ({
      ...one,
      names: [...one.names],
      checks: checksToWire(one.checks),
    })),
  };
}

/** A result on arrival; throws WireError. */
export function resultFromWire(wire: proxyctl.v1.Result, wallMs: number): ActResult {
  return {
    outcome: outcomeFromWire(wire.outcome),
    changed: wire.changed,
    requestId: wire.requestId,
    node: wire.node,
    tookMs: wire.tookMs,
    nodes: each('result.nodes', wire.nodes, nodeFromWire),
    error: errorFromWire(wire.error),
    ...(wire.drill ? { drill: drillPlanFromWire(wire.drill) } : {}),
    ...(wire.config ? { config: pushedFromWire(wire.config) } : {}),
    addresses: each('result.addresses', wire.addresses, (one, at) => ({
      address: filled(`${at}.address`, one.address),
      vhid: one.vhid,
      vips: one.vips,
      from: one.from,
      to: one.to,
      outcome: wordOrUnknown(one.outcome, MOVES),
      darkMsMax: one.darkMsMax ?? null,
      sessions: one.sessions ?? null,
      pin: one.pin ? intentFromWire(one.pin, wallMs, `${at}.pin`) : null,
    })),
    servers: each('result.servers', wire.servers, (one) => ({
      instance: one.instance,
      backend: one.backend,
      server: one.server,
      node: one.node,
      before: one.before,
      after: one.after,
      sessions: one.sessions,
    })),
    certificates: wire.certificates.map((one) => ({
      node: one.node,
      path: one.path,
      fingerprintBefore: one.fingerprintBefore,
      fingerprint: one.fingerprint,
      notAfter: one.notAfter,
      names: one.names,
      outcome: wordOrUnknown(one.outcome, SWAPS),
      ...checksFromWire(one.checks),
    })),
  };
}

function nodeFromWire(wire: proxyctl.v1.NodeOutcome): NodeOutcome {
  const { node, ok, changed } = wire;
  return { node, ok, changed, error: errorFromWire(wire.error) };
}

/** Null for an absent error. */
export function errorFromWire(wire: proxyctl.v1.ErrorDetail | null | undefined): ActError | null {
  if (!wire) return null;
  const { code, message, cause, remediation, retryable } = wire;
  return { code, message, cause, remediation, retryable };
}
