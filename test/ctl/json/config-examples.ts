import { NO_CONFIG } from '../../../agent/core/haproxy-config/reading.ts';
import { compared, type Side } from '../../../ctl/config/compare.ts';
import { configCheckResult } from '../../../ctl/json/config-check.ts';
import { configHistoryResult, configPushResult } from '../../../ctl/json/config-push.ts';
import { configDiffResult, configShowResult } from '../../../ctl/json/config.ts';

const side = (name: string, isNode: boolean, text: string): Side => ({
  name,
  isNode,
  files: [{ path: '/h.conf', text }],
});
const FULL = side(
  'haproxy01',
  true,
  'frontend w\n bind :443 ssl crt /a.pem\nbackend w\n server a 10.0.0.1:80\n server b 10.0.0.2:80\n',
);
const MOVED = side('haproxy02', true, 'backend w\n server b 10.0.0.3:80\n');
const FILE = side('haproxy.conf', false, '');
const more = {
  sessions: [{ node: 'haproxy01', server: 'w/a', sessions: 1 }],
  wishes: [{ server: 'w/a', wish: 'drain', actor: 'anna' }],
};
const NODE = {
  ...NO_CONFIG,
  node: 'haproxy01',
  problem: '',
  files: [{ path: '/h.conf', text: 'global\n', changedAt: '2027-03-01T12:00:00.000Z' }],
  version: '0123456789ab',
  startedAt: '2027-03-01T12:00:00.000Z',
  loaded: 'no' as const,
  why: 'written after HAProxy began',
  problems: ['/i.conf is not there'],
  notes: ['not UTF-8'],
};

export const CONFIG_EXAMPLES = {
  'config diff': [
    configDiffResult({
      node: 'haproxy01',
      nodes: [],
      comparisons: [FILE, MOVED].flatMap((to) => [
        { ...compared(FULL, to, []), ...more },
        { ...compared(to, FULL, []), ...more },
      ]),
      secretsCompared: true,
      unknown: 'no answer',
    }),
    configDiffResult({
      node: 'haproxy01',
      nodes: [],
      comparisons: [],
      secretsCompared: false,
      unknown: '',
    }),
  ],
  'config check': [
    configCheckResult([
      { node: 'haproxy01', problem: '', answer: { kind: 'done', lines: ['[NOTICE] one'] } },
      { node: 'haproxy02', problem: '', answer: { kind: 'unsound', why: 'exit 1', lines: ['no'] } },
      { node: 'haproxy03', problem: 'no answer', answer: null },
    ]),
  ],
  'config push': [
    configPushResult({
      config: { number: 7, nodes: [{ node: 'haproxy01', outcome: 'installed' }] },
    }),
  ],
  'config history': [
    configHistoryResult([
      {
        node: 'haproxy01',
        problem: '',
        state: {
          digest: 'aa',
          form: 'file',
          last: 7,
          state: 'kept',
          versions: [
            {
              number: 7,
              who: 'anna',
              madeS: 1_800_000_000,
              installedS: 1_800_000_001,
              digest: 'aa',
              before: 'bb',
              reason: 'more room',
            },
          ],
        },
      },
    ]),
  ],
  'config show': [
    configShowResult([NODE, { ...NO_CONFIG, node: 'haproxy02', problem: 'no answer' }]),
  ],
};
