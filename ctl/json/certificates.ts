import type { ActResult } from '../../agent/core/results.ts';
import type { Certificates, InspectedCertificate } from '../../agent/core/answers.ts';
import { daysLeft, type CertificateFinding } from '../../agent/core/certs/certificates.ts';
import { verifiedBy, type ListenerCheck } from '../../agent/core/certs/listener-check.ts';
import { time } from './wish.ts';

/** What one listener showed of a certificate. */
interface ListenerJson {
  readonly listener: string | null;
  readonly name: string | null;
  readonly verified: boolean;
  readonly reason: string | null;
}

const orNull = (text: string): string | null => (text === '' ? null : text);

const listenersJson = (checks: readonly ListenerCheck[] = []): readonly ListenerJson[] =>
  checks.map(({ listener, servername, verified, reason }) => ({
    listener: orNull(listener),
    name: orNull(servername),
    verified,
    reason: orNull(reason),
  }));

/** The `result` of `cert push` and `cert rollback`. */
export interface PushJson {
  readonly certificates: readonly {
    readonly node: string;
    readonly path: string;
    readonly fingerprint_before: string;
    readonly fingerprint: string;
    readonly not_after: string;
    readonly names: readonly string[];
    readonly outcome: string;
    /** Every listener that uses it showed it; null: an older agent does not say. */
    readonly verified: boolean | null;
    readonly listeners: readonly ListenerJson[];
  }[];
}

/** A row for each node and path. */
export const certificatesResult = ({
  certificates,
}: Pick<ActResult, 'certificates'>): PushJson => ({
  certificates: certificates.map((one) => ({
    node: one.node,
    path: one.path,
    fingerprint_before: one.fingerprintBefore,
    fingerprint: one.fingerprint,
    not_after: one.notAfter,
    names: one.names,
    outcome: one.outcome,
    verified: verifiedBy(one.checks),
    listeners: listenersJson(one.checks),
  })),
});

interface ListedJson {
  readonly node: string;
  readonly name: string;
  readonly path: string;
  readonly memory: string | null;
  readonly disk: string | null;
  readonly served: string | null;
  readonly sha256: string | null;
  readonly not_after: string;
  readonly days_left: number;
  readonly names: readonly string[];
  readonly previous: string | null;
  readonly renewal: string | null;
  readonly issuer: string | null;
  readonly problem: string | null;
  readonly verified: boolean | null;
  readonly listeners: readonly ListenerJson[];
}

/** The `result` of `cert list` and `cert verify`. */
export interface CertificateListJson {
  readonly certificates: readonly ListedJson[];
  readonly decided: readonly {
    readonly name: string;
    readonly sha256: string;
    readonly actor: string;
    readonly reason: string;
    readonly since: string;
  }[];
  readonly findings: readonly {
    readonly id: string;
    readonly node: string;
    readonly name: string;
    readonly text: string;
  }[];
}

/** `wallMs` is now, for the days that are left. */
export const certificateListResult = (
  { nodes, intents }: Pick<Certificates, 'nodes' | 'intents'>,
  findings: readonly CertificateFinding[],
  wallMs: number,
): CertificateListJson => ({
  certificates: nodes.flatMap(({ node, certificates }) =>
    certificates.map((one) => listedJson(node, one, wallMs)),
  ),
  decided: intents.map(({ key, value, actor, reason, stamp }) => ({
    name: key.slice(key.indexOf('/') + 1),
    sha256: value,
    actor,
    reason,
    since: time(stamp.wallMs),
  })),
  findings: findings.map(({ id, node, name, text }) => ({ id, node, name, text })),
});

const listedJson = (node: string, one: InspectedCertificate, wallMs: number): ListedJson => ({
  node,
  name: one.name,
  path: one.path,
  memory: one.memory,
  disk: one.disk,
  served: one.served,
  sha256: one.sha256,
  not_after: one.notAfter,
  days_left: daysLeft(Date.parse(one.notAfter), wallMs),
  names: one.names,
  previous: one.previous,
  renewal: one.renewal === '' ? null : one.renewal,
  issuer: one.issuer ?? null,
  problem: one.problem === '' ? null : one.problem,
  verified: verifiedBy(one.checks),
  listeners: listenersJson(one.checks),
});
