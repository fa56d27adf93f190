import type { Found, Finding } from './finding.ts';

/** What `status` alerts of, as far as doctor passes it on. */
export interface Alerted {
  readonly id: string;
  readonly node: string;
  readonly subject: string;
  readonly severity: string;
  readonly text: string;
  readonly remedy: string;
}

/** Findings that name the same thing as an alert, with its evidence. */
const NAMED_BY: Readonly<Record<string, readonly string[]>> = {
  'not-heard': ['peer-away'],
  'split-brain': ['carp-both-master'],
  'haproxy-down': ['haproxy-down'],
  'haproxy-hung': ['haproxy-down'],
  'adverts-lost': ['carp-adverts-lost', 'pf-drops-carp', 'carp-authentication'],
  'carp-config': [
    'carp-addresses',
    'carp-vhid',
    'carp-missing',
    'carp-authentication',
    'carp-advskew-equal',
  ],
  clock: ['clock'],
};

/** The same for what stands as a problem of one part, by that part. */
const NAMED_PROBLEMS: Readonly<Record<string, string>> = { demotion: 'carp-demotion' };

/** What `proxyctl status` alerts of and no finding names: doctor never says less than status does. */
export const alerted = (alerts: readonly Alerted[], findings: readonly Finding[]): Found[] =>
  alerts
    .filter((alert) => !findings.some((one) => isSame(alert, one)))
    .map(({ id, node, subject, severity, text, remedy }) => ({
      id: `alert-${id}`,
      about: `${subject} ${text}`,
      severity: severity === 'fail' ? 'fail' : 'warn',
      address: /^\d+@/.test(subject) ? subject : null,
      nodes: [node],
      saw: [`${node}: ${subject === node ? '' : `${subject}: `}${text}`],
      why: 'proxyctl status alerts of it, and no check of doctor names its cause.',
      do: remedy === '' ? [] : [{ node, file: null, line: null, text: remedy }],
    }));

/** A finding of the same kind, or one about the very thing: a file, a server, a certificate. */
const isSame = ({ id, subject }: Alerted, { id: found, address, saw }: Finding): boolean =>
  (NAMED_BY[id]?.includes(found) ?? false) ||
  (id === 'problem' && NAMED_PROBLEMS[subject] === found) ||
  (id === 'problem' &&
    address === null &&
    subject.includes('/') &&
    saw.some((one) => one.includes(subject)));
