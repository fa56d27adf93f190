/**
 * How bad, in the doctor's words. `fail`: clients are or may soon be refused, or there are two
 * MASTERs. `warn`: redundancy, or what somebody asked for, is at risk. `unknown`: an agent said so
 * that does not weigh its alerts.
 */
export type Severity = 'fail' | 'warn' | 'unknown';

/** Every id of an alert, and how bad it is unless the place that raises it says more; docs/json.md lists them. */
export const ALERTS = {
  'not-heard': 'warn',
  'no-master': 'fail',
  'split-brain': 'fail',
  fenced: 'warn',
  problem: 'warn',
  'haproxy-down': 'warn',
  'haproxy-hung': 'warn',
  'haproxy-stopping': 'warn',
  'haproxy-problem': 'warn',
  drift: 'warn',
  'server-gone': 'warn',
  'server-back': 'warn',
  'wish-refused': 'warn',
  degraded: 'warn',
  'adverts-lost': 'fail',
  'carp-config': 'fail',
  'not-allowed': 'warn',
  'by-hand': 'warn',
  'no-base': 'warn',
  budget: 'warn',
  'move-failed': 'warn',
  'pin-degraded': 'warn',
  'all-down': 'fail',
  'backends-down': 'fail',
  'peer-dead': 'warn',
  'peer-frozen': 'warn',
  'early-wrong': 'warn',
  clock: 'warn',
  partly: 'warn',
  'one-way': 'warn',
  'redundancy-lost': 'warn',
  'paused-long': 'warn',
  'same-name': 'fail',
  'notify-failing': 'warn',
} as const satisfies Readonly<Record<string, Severity>>;

export type AlertId = keyof typeof ALERTS;

/** One thing that is not as it should be, as the place that finds it says it. */
export interface Noticed {
  readonly id: AlertId;
  /** An address, a node, BACKEND/SERVER or a part of the host. */
  readonly subject: string;
  readonly severity: Severity;
  readonly text: string;
  /** What to do, where one can be typed or done; empty where the text says it. */
  readonly remedy: string;
}

/** An alert of this id, as bad as its id is. */
export const alert = (id: AlertId, subject: string, text: string, remedy = ''): Noticed => ({
  id,
  subject,
  severity: ALERTS[id],
  text,
  remedy,
});
