import type { PairEvent } from '../../../agent/core/events/events.ts';

const TIME = '2027-01-15T08:00:00.000Z';
const plain: PairEvent = {
  time: TIME,
  id: 'haproxy01-7-1',
  node: 'haproxy01',
  kind: 'haproxy-up',
  severity: 'info',
  subject: 'haproxy',
  text: 'HAProxy up',
};
/** An event with nothing that need not be, and one with everything. */
export const happened: PairEvent[] = [
  plain,
  {
    ...plain,
    alert: 'drift',
    remedy: 'r',
    from: 'a',
    to: 'b',
    cause: 'agent',
    actor: 'anna',
    reason: 'r',
    requestId: 'r',
    until: TIME,
    objects: ['WEB/web1'],
    objectsCount: 2,
    lastedMs: 1,
    count: 2,
  },
];
