import type { ActHeader, AutomationAct, ChallengeAct } from '../core/acts.ts';
import type { MaintenanceAct, MoveAct } from '../core/acts.ts';
import type { PushAct, RevocationAct, RollbackAct, ServersAct, WeightAct } from '../core/acts.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import { DEADLINES, RISKS } from '../core/acts.ts';
import { stampFromWire } from './intents.ts';
import { intoFromWire, intoToWire } from './swaps.ts';
import { COUNTS, LENGTHS, listed, named, short } from './bounds.ts';
import { enumValue, enumWord, filled, oneOf, orNull, present } from './fields.ts';

/** What HAProxy can be told of a server, in the order of the wire's enum. */
export const ADMIN_STATES = ['ready', 'drain', 'maint'] as const;

/** Throws WireError, so that an act that is not understood ends as a usage error. */
export function headerFromWire(wire: proxyctl.v1.RequestHeader | null | undefined): ActHeader {
  const header = present('header', wire);
  return {
    requestId: named('header.request_id', header.requestId, LENGTHS.requestId),
    actor: short('header.actor', header.actor, LENGTHS.actor),
    reason: short('header.reason', header.reason, LENGTHS.reason),
    acceptRisks: listed('header.accept_risks', header.acceptRisks, COUNTS.risks, (risk, field) =>
      oneOf(field, risk, RISKS),
    ),
    dryRun: header.dryRun,
    timeoutMs: header.timeoutMs === 0 ? null : header.timeoutMs,
    seen: header.seen ? stampFromWire(header.seen, 'header.seen') : null,
  };
}

/** ADDRESS ids, each once. Throws WireError. */
export const addressesFromWire = (addresses: readonly string[]): string[] =>
  listed('addresses', addresses, COUNTS.addresses, (address, field) => named(field, address));

const targetsFromWire = (targets: readonly string[]): string[] =>
  listed('targets', targets, COUNTS.targets, (target, field) =>
    named(field, target, LENGTHS.target),
  );

/** Throws WireError. */
export function moveFromWire(wire: proxyctl.v1.MoveRequest): MoveAct {
  return {
    header: headerFromWire(wire.header),
    addresses: addressesFromWire(wire.addresses),
    to: orNull(short('to', wire.to, LENGTHS.name)),
    toggle: wire.toggle,
    unpin: wire.unpin,
    untilMs: wire.untilMs ?? null,
  };
}

/** Throws WireError. */
export const maintenanceFromWire = (wire: proxyctl.v1.SetMaintenanceRequest): MaintenanceAct => ({
  header: headerFromWire(wire.header),
  node: named('node', wire.node),
  on: wire.on,
  untilMs: wire.untilMs ?? null,
});

/** Throws WireError. */
export const automationFromWire = (wire: proxyctl.v1.SetAutomationRequest): AutomationAct => ({
  header: headerFromWire(wire.header),
  paused: wire.paused,
  untilMs: wire.untilMs ?? null,
});

/** The inverse of maintenanceFromWire. */
export const maintenanceToWire = (
  act: MaintenanceAct,
): proxyctl.v1.SetMaintenanceRequest.$Properties => ({
  ...act,
  header: headerToWire(act.header),
});

/** The inverse of automationFromWire. */
export const automationToWire = (
  act: AutomationAct,
): proxyctl.v1.SetAutomationRequest.$Properties => ({ ...act, header: headerToWire(act.header) });

/** Throws WireError. */
export function serversFromWire(wire: proxyctl.v1.SetServersRequest): ServersAct {
  return {
    header: headerFromWire(wire.header),
    targets: targetsFromWire(wire.targets),
    state: enumWord('state', wire.state, ADMIN_STATES),
    untilMs: wire.untilMs ?? null,
    wait: waitFromWire(wire.wait),
  };
}

/** Nothing said: no wait. */
const waitFromWire = (value: number): ServersAct['wait'] =>
  value === 0 ? null : enumWord('wait', value, DEADLINES);

/** Throws WireError. */
export const weightsFromWire = (wire: proxyctl.v1.SetWeightsRequest): WeightAct => ({
  header: headerFromWire(wire.header),
  targets: targetsFromWire(wire.targets),
  weight: orNull(short('weight', wire.weight, LENGTHS.name)),
  untilMs: wire.untilMs ?? null,
});

/** The inverse of weightsFromWire. */
export const weightsToWire = (act: WeightAct): proxyctl.v1.SetWeightsRequest.$Properties => ({
  header: headerToWire(act.header),
  targets: [...act.targets],
  weight: act.weight ?? '',
  untilMs: act.untilMs,
});

/** Throws WireError. */
export const challengeFromWire = (wire: proxyctl.v1.SetChallengeRequest): ChallengeAct => ({
  header: headerFromWire(wire.header),
  token: named('token', wire.token),
  keyAuthorization: orNull(
    short('key_authorization', wire.keyAuthorization, LENGTHS.keyAuthorization),
  ),
  domain: short('domain', wire.domain, LENGTHS.name),
});

/** The inverse of challengeFromWire. */
export const challengeToWire = (
  act: ChallengeAct,
): proxyctl.v1.SetChallengeRequest.$Properties => ({
  ...act,
  header: headerToWire(act.header),
  keyAuthorization: act.keyAuthorization ?? '',
});

/** The act of a push whose chunks have all arrived; throws WireError. */
export const pushFromWire = (
  wire: proxyctl.v1.PushCertificatesRequest,
  bundles: readonly { readonly path: string; readonly pem: string }[],
): PushAct => ({
  header: headerFromWire(wire.header),
  bundles: bundles.map(({ path, pem }, at) => ({
    path: orNull(short('path', path, LENGTHS.path)),
    pem: filled('pem', pem),
    ...(at === 0 ? intoFromWire(wire.into, wire.filters) : {}),
  })),
});

/** Throws WireError. */
export const rollbackFromWire = (wire: proxyctl.v1.RollbackCertificatesRequest): RollbackAct => ({
  header: headerFromWire(wire.header),
  paths: listed('paths', wire.paths, COUNTS.certificates, (path, field) =>
    named(field, path, LENGTHS.path),
  ),
});

/** The inverse of rollbackFromWire. */
export const rollbackToWire = (
  act: RollbackAct,
): proxyctl.v1.RollbackCertificatesRequest.$Properties => ({
  header: headerToWire(act.header),
  paths: [...act.paths],
});

/** Throws WireError. */
export const revocationsFromWire = (
  wire: proxyctl.v1.PublishRevocationsRequest,
): RevocationAct => ({ header: headerFromWire(wire.header), list: filled('list', wire.list) });

/** The inverse of revocationsFromWire. */
export const revocationsToWire = (
  act: RevocationAct,
): proxyctl.v1.PublishRevocationsRequest.$Properties => ({
  header: headerToWire(act.header),
  list: act.list,
});

/** What a caller sends for a header; the inverse of headerFromWire. */
export function headerToWire(header: ActHeader): proxyctl.v1.RequestHeader.$Properties {
  const { acceptRisks, timeoutMs, seen, ...rest } = header;
  return {
    ...rest,
    acceptRisks: [...acceptRisks],
    timeoutMs: timeoutMs ?? 0,
    ...(seen === null ? {} : { seen }),
  };
}

/** The inverse of moveFromWire. */
export function moveToWire(act: MoveAct): proxyctl.v1.MoveRequest.$Properties {
  const { header, addresses, to, ...rest } = act;
  return { ...rest, header: headerToWire(header), addresses: [...addresses], to: to ?? '' };
}

/** The inverse of serversFromWire. */
export function serversToWire(act: ServersAct): proxyctl.v1.SetServersRequest.$Properties {
  const { header, targets, state, wait, ...rest } = act;
  return {
    ...rest,
    ...(wait === null ? {} : { wait: enumValue(wait, DEADLINES) }),
    header: headerToWire(header),
    targets: [...targets],
    state: enumValue(state, ADMIN_STATES),
  };
}

/** The first message of a push; the PEM follows in chunks. */
export function pushToWire(act: PushAct): proxyctl.v1.PushCertificatesRequest.$Properties {
  const [first] = act.bundles;
  return {
    header: headerToWire(act.header),
    path: first?.path ?? '',
    ...intoToWire(first?.into),
  };
}
