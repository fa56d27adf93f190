import type { AuditCaller } from '../../agent/core/audit/audit.ts';

/** An operator over TLS. */
export const ANNA: AuditCaller = {
  who: { how: 'certificate', name: 'anna', role: 'operator', serial: 'A1' },
  from: '192.0.2.7:50000',
};
export const header = {
  requestId: 'r1',
  actor: 'root',
  reason: 'kernel update',
  acceptRisks: [],
  dryRun: false,
  timeoutMs: null,
  seen: null,
};
/** What she asks for. */
export const drain = {
  header,
  targets: ['WEB/web1'],
  state: 'drain',
  untilMs: 7_200_000,
  wait: 'kill',
} as const;
