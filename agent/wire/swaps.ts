import type { Certificates, InspectedCertificate } from '../core/answers.ts';
import type { SwapPrepare, SwapReading } from '../core/certs/swap-messages.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import type { ListenerCheck } from '../core/certs/listener-check.ts';
import { RISKS, type NewInto } from '../core/acts.ts';
import { SWAP_WORDS, type SwapStanding } from '../core/certs/swap.ts';
import { intentFromWire, intentsInPieces, stampFromWire } from './intents.ts';
import { COUNTS, LENGTHS, listed, named, short } from './bounds.ts';
import { each, filled, oneOf, orNull, present, wordOrUnknown } from './fields.ts';

/** What a swap asks of a node first, as it travels. */
export function swapPrepareToWire(swap: SwapPrepare): proxyctl.v1.SwapPrepareRequest.$Properties {
  const { bundles, acceptRisks, members, ...rest } = swap;
  return {
    ...rest,
    bundles: bundles.map(({ path, pem, into }) => ({
      path: path ?? '',
      pem: Buffer.from(pem),
      ...intoToWire(into),
    })),
    acceptRisks: [...acceptRisks],
    members: [...members],
  };
}

/** Throws WireError. */
export function swapPrepareFromWire(wire: proxyctl.v1.SwapPrepareRequest): SwapPrepare {
  return {
    swapId: named('swap_id', wire.swapId),
    bundles: each('bundles', wire.bundles, ({ path, pem, into, filters }, at) => ({
      path: orNull(path),
      pem: filled(`${at}.pem`, Buffer.from(pem).toString('utf8')),
      ...intoFromWire(into, filters),
    })),
    dryRun: wire.dryRun,
    acceptRisks: listed('accept_risks', wire.acceptRisks, COUNTS.risks, (risk, at) =>
      oneOf(at, risk, RISKS),
    ),
    coordinator: named('coordinator', wire.coordinator),
    members: listed('members', wire.members, COUNTS.nodes, (node, at) => named(at, node)),
    stamp: stampFromWire(present('stamp', wire.stamp), 'stamp'),
    actor: short('actor', wire.actor, LENGTHS.actor),
    reason: short('reason', wire.reason, LENGTHS.reason),
  };
}

/** The crt-list of a new certificate, as it travels. */
export const intoToWire = (into: NewInto | undefined) =>
  into === undefined ? {} : { into: into.list, filters: [...into.filters] };

/** The inverse of intoToWire. */
export const intoFromWire = (
  list: string,
  filters: readonly string[],
): { readonly into?: NewInto } => {
  if (list === '') return {};
  const names = listed('filters', filters, COUNTS.certificates, (name, at) => named(at, name));
  return { into: { list: short('into', list, LENGTHS.path), filters: names } };
};

/** What listeners showed, as it travels. */
export const checksToWire = (
  checks: readonly ListenerCheck[] = [],
): proxyctl.v1.ListenerCheck.$Properties[] => checks.map((one) => ({ ...one }));

/** The inverse of checksToWire: absent where nothing is said. */
export const checksFromWire = (
  wire: readonly proxyctl.v1.ListenerCheck[],
): { readonly checks?: readonly ListenerCheck[] } =>
  wire.length === 0
    ? {}
    : {
        checks: wire.map(({ listener, servername, verified, reason }) => ({
          listener,
          servername,
          verified,
          reason,
        })),
      };

/** A node's answer to a step of a swap, as it travels. */
export const swapToWire = (swap: SwapReading): proxyctl.v1.SwapReply.$Properties => ({
  node: swap.node,
  certificates: swap.certificates.map((one) => ({
    ...one,
    names: [...one.names],
    warnings: [...one.warnings],
    checks: checksToWire(one.checks),
  })),
});

/** Throws WireError. */
export function swapFromWire(wire: proxyctl.v1.SwapReply): SwapReading {
  return {
    node: filled('node', wire.node),
    certificates: each('certificates', wire.certificates, (one) => ({
      name: one.name,
      path: one.path,
      fingerprintBefore: one.fingerprintBefore,
      fingerprint: one.fingerprint,
      notAfter: one.notAfter,
      names: one.names,
      warnings: one.warnings,
      sha256: one.sha256,
      ...checksFromWire(one.checks),
    })),
  };
}

/**
 * How far a swap is on a node; throws WireError. A phase of a newer agent is no answer, and
 * not the "unknown" of a node that has no such swap: a swap would be ended for that. One that
 * runs there is waited for, whatever its phase.
 */
export const standingFromWire = ({ phase, running }: proxyctl.v1.SwapStateReply): SwapStanding => ({
  phase: running ? wordOrUnknown(phase, SWAP_WORDS) : oneOf('phase', phase, SWAP_WORDS),
  running,
});

/** One certificate of one node, as it travels. */
export const inspectedToWire = (
  one: InspectedCertificate,
): proxyctl.v1.InspectedCertificate.$Properties => ({
  name: one.name,
  path: one.path,
  memory: one.memory ?? '',
  disk: one.disk ?? '',
  served: one.served ?? '',
  sha256: one.sha256 ?? '',
  notAfter: one.notAfter,
  names: [...one.names],
  problem: one.problem,
  previous: one.previous ?? '',
  renewal: one.renewal,
  issuer: one.issuer ?? '',
  checks: checksToWire(one.checks),
});

/** Throws WireError. */
export const inspectedFromWire = (
  wire: proxyctl.v1.InspectedCertificate,
  field: string,
): InspectedCertificate => ({
  name: filled(`${field}.name`, wire.name),
  path: filled(`${field}.path`, wire.path),
  memory: orNull(wire.memory),
  disk: orNull(wire.disk),
  served: orNull(wire.served),
  sha256: orNull(wire.sha256),
  notAfter: wire.notAfter,
  names: wire.names,
  problem: wire.problem,
  previous: orNull(wire.previous),
  renewal: wire.renewal,
  ...(wire.issuer === '' ? {} : { issuer: wire.issuer }),
  ...checksFromWire(wire.checks),
});

/** The certificates of every node, as they travel, in pieces that are one message together; `wallMs` for the intents. */
export function* certificatesToWire(
  { node, nodes, intents }: Certificates,
  wallMs: number,
): Generator<proxyctl.v1.CertificatesReply.$Properties> {
  yield { node };
  for (const one of nodes)
    yield { nodes: [{ ...one, certificates: one.certificates.map(inspectedToWire) }] };
  for (const some of intentsInPieces(intents, wallMs)) yield { intents: some };
}

/** Throws WireError. */
export const certificatesFromWire = (
  wire: proxyctl.v1.CertificatesReply,
  wallMs: number,
): Certificates => ({
  node: filled('node', wire.node),
  nodes: each('nodes', wire.nodes, ({ node, problem, certificates }, at) => ({
    node: filled(`${at}.node`, node),
    problem,
    certificates: each(`${at}.certificates`, certificates, inspectedFromWire),
  })),
  intents: each('intents', wire.intents, (one, at) => intentFromWire(one, wallMs, at)),
});
