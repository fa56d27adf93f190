import type { Certificates, ExplainAnswer, Standing } from '../../../agent/core/answers.ts';
import { certificateFindings } from '../../../agent/core/certs/certificates.ts';
import { NOTHING } from '../../../agent/core/audit/audit-lines.ts';
import type { AuditEntry } from '../../../agent/core/audit/audit.ts';
import { eventsResult } from '../../../ctl/json/events.ts';
import { happened } from './happened.ts';
import { handMoves } from '../../../ctl/by-hand.ts';
import { byHandResult } from '../../../ctl/json/by-hand.ts';
import { auditResult } from '../../../ctl/json/audit.ts';
import { automationResult } from '../../../ctl/json/automation.ts';
import { certificateListResult, certificatesResult } from '../../../ctl/json/certificates.ts';
import { challengeResult, challengesResult } from '../../../ctl/json/challenges.ts';
import { contextsResult, importedResult, keptResult } from '../../../ctl/json/contexts.ts';
import { shownResult } from '../../../ctl/json/contexts.ts';
import { diffResult } from '../../../ctl/json/diff.ts';
import { doctorResult } from '../../../ctl/json/doctor.ts';
import { explainResult } from '../../../ctl/json/explain.ts';
import { haproxyResult } from '../../../ctl/json/haproxy.ts';
import { notifyTestResult } from '../../../ctl/json/notify.ts';
import { historyResult } from '../../../ctl/json/history.ts';
import { moveResult } from '../../../ctl/json/moves.ts';
import { serversListResult, serversResult } from '../../../ctl/json/servers.ts';
import { exampleResult, hostResult, setupResult } from '../../../ctl/json/setup.ts';
import { waitedResult } from '../../../ctl/json/wait.ts';
import { time } from '../../../ctl/json/wish.ts';
import { statusResult } from '../../../ctl/json/status.ts';
import { serverReading } from '../../core/builders.ts';
import { inspected } from '../../reports.ts';
import { CONFIG_EXAMPLES } from './config-examples.ts';
import { DRILL, DRILLS } from './drill-examples.ts';
import { PKI_EXAMPLES } from './pki-examples.ts';
import { haproxyOf, intentOf, nodeOf, statusOf } from '../statuses.ts';

const AT = { nowMs: 0, wallMs: Date.now() };
const DRIFT = { backend: 'WEB', server: 'web1', is: 'maint', should: 'ready', wished: false };
const TRIED = { node: 'haproxy01', address: '::1', version: null, tookMs: 1, problem: '' };
const imported = {
  file: '/etc/config.toml',
  name: 'web',
  current: true,
  changed: true,
  who: 'admin anna',
  notAfterMs: 0,
  tried: [TRIED],
  warnings: [],
};
const seenOn = (node: string, state: string, baseAdvskew: number) => {
  const where = { address: '1@wan', vhid: 1, vips: [], interface: 'vtnet0' };
  return { ...where, node, state, advskew: baseAdvskew, baseAdvskew };
};
const SEEN = {
  nodes: ['haproxy01', 'haproxy02'],
  addresses: [seenOn('haproxy01', 'MASTER', 0), seenOn('haproxy02', 'BACKUP', 100)],
};
const PIN = intentOf({ key: 'pin/1@wan', value: 'haproxy02' });

function status() {
  const never = { report: null, ageMs: null, problem: 'never seen' };
  const verdict = { address: '1@wan', owner: null, reason: 'r', sinceMs: 0 };
  const full = statusOf({
    nodes: [
      nodeOf('haproxy01', { haproxy: [haproxyOf({ drift: [DRIFT], drifted: 1 })] }),
      nodeOf('haproxy02', {}, { problem: 'connection refused' }),
      nodeOf('haproxy03', {}, never),
    ],
    verdicts: [{ ...verdict, pin: PIN }],
    intents: [
      intentOf(),
      intentOf({ key: 'maintenance/haproxy02', value: 'on' }),
      intentOf({ key: 'drill/failover', value: JSON.stringify(DRILL) }),
      intentOf({ key: 'pause', value: 'on', untilWallMs: AT.wallMs }),
    ],
  });
  return [full, statusOf({ verdicts: [] })].map((one) => statusResult(one, AT));
}

function explain() {
  const standing: Standing = {
    node: 'haproxy01',
    unableBecause: '',
    health: 'serving',
    healthReason: 'HAProxy serves',
    healthSinceMs: 0,
    maintenance: false,
    pinned: false,
    ripe: true,
    advskew: 0,
    state: 'MASTER',
  };
  const answer: ExplainAnswer = {
    node: 'haproxy01',
    paused: false,
    addresses: [
      {
        address: '1@wan',
        owner: null,
        because: 'only',
        reason: 'r',
        standings: [standing, { ...standing, unableBecause: 'INIT' }],
        flips: [{ text: 'haproxy02 serves', owner: null }],
        absent: ['haproxy03 is not heard'],
      },
    ],
  };
  return [explainResult(answer, 5)];
}

function movedAddresses() {
  const moved = {
    address: '1@wan',
    vhid: 1,
    vips: ['10.1.60.200'],
    from: '',
    to: 'haproxy02',
    outcome: 'moved' as const,
    darkMsMax: null,
    sessions: 3,
    pin: PIN,
  };
  return [moved, { ...moved, from: 'haproxy01', pin: null }];
}

const moves = () => [moveResult({ addresses: movedAddresses() })];

function servers() {
  const answer = {
    node: 'haproxy01',
    nodes: [
      {
        node: 'haproxy01',
        problem: '',
        servers: [serverReading(), serverReading({ name: 'web2', check: '' })],
        drift: [DRIFT],
        lost: [
          { key: 'server//WEB/web1', server: 'gone' as const },
          { key: 'weight//WEB/web1', server: 'back' as const },
        ],
      },
      { node: 'haproxy02', problem: 'no answer', servers: [] },
    ],
    intents: [intentOf(), intentOf({ key: 'weight//WEB/web1', value: '50%' })],
  };
  return [serversListResult(answer, AT.wallMs)];
}

function certificates(): Certificates {
  return {
    node: 'haproxy01',
    nodes: [
      { node: 'haproxy01', problem: '', certificates: [inspected('aa')] },
      {
        node: 'haproxy02',
        problem: '',
        certificates: [
          inspected('bb', { disk: null, problem: 'x', renewal: '2099-01-01', checks: CHECKS }),
        ],
      },
    ],
    intents: [intentOf({ key: 'certificate/site', value: 'x' })],
  };
}

function certificateList() {
  const found = certificates();
  const findings = certificateFindings(found, { ...AT, alarmDays: [], endMs: Date.parse });
  return [certificateListResult(found, findings, AT.wallMs)];
}

const CHECKS = [
  {
    listener: 'frontend mtls (:9443)',
    servername: '',
    verified: false,
    reason: 'it wants a client certificate',
  },
];

const swapped = {
  node: 'haproxy01',
  path: '/c/site.pem',
  fingerprintBefore: 'aa',
  fingerprint: 'bb',
  notAfter: '2099-01-24T00:00:00Z',
  names: ['www.example.net'],
  checks: CHECKS,
  outcome: 'swapped' as const,
};
const drained = {
  instance: '',
  backend: 'WEB',
  server: 'web1',
  node: 'haproxy01',
  before: 'ready',
  after: 'drain',
  sessions: 3,
};
const finding = {
  id: 'clock',
  severity: 'warn' as const,
  address: null,
  nodes: ['haproxy01'],
  saw: ['x'],
  why: 'y',
  do: [{ node: 'haproxy01', file: null, line: null, text: 'z' }],
};
const change = {
  address: '1@wan',
  from: null,
  to: 'haproxy01',
  cause: 'away' as const,
  reason: 'r',
  atWallMs: AT.wallMs,
};

const bare: AuditEntry = { ...NOTHING, time: time(0), node: 'haproxy01', event: 'lost', what: 'w' };
const audited: AuditEntry[] = [
  bare,
  {
    ...bare,
    who: { how: 'socket', socket: '/s', role: 'admin', uid: null, pid: null },
    claimed: 'anna',
    objects: ['1@wan'],
    args: { to: 'haproxy02' },
    asked: [{ actor: 'anna', requestId: 'r' }],
    nodes: [{ node: 'haproxy01', ok: true, changed: true, code: '' }],
  },
];

/** By the headings of docs/json.md: results that show every key, and null where it may be. */
export const EXAMPLES: Readonly<Record<string, readonly object[]>> = {
  status: status(),
  explain: explain(),
  history: [
    historyResult({
      node: 'haproxy01',
      changes: [change],
      missing: [{ node: 'haproxy02', cause: 'no answer' }],
    }),
  ],
  events: [eventsResult(happened, [{ node: 'haproxy01', problem: '', leftOut: 'not read' }])],
  'notify test': [
    notifyTestResult({
      nodes: [
        { node: 'haproxy01', problem: '', targets: [{ name: 'ops', problem: '', tookMs: 1 }] },
      ],
    }),
  ],
  audit: [auditResult(audited, [{ node: 'haproxy01', problem: '', leftOut: 'not read' }])],
  doctor: [doctorResult({ node: 'haproxy01', findings: [finding], nodes: [], notes: ['one'] })],
  diff: [
    diffResult([
      {
        name: 'site',
        where: ['missing'],
        nodes: [
          { node: 'haproxy01', has: inspected('aa') },
          { node: 'haproxy02', has: null },
        ],
      },
    ]),
  ],
  ...CONFIG_EXAMPLES,
  wait: [waitedResult(['serving'], 1)],
  'failover, failback, maintenance on, maintenance off': moves(),
  'failover --by-hand': [byHandResult(handMoves(SEEN, [], null), 1)],
  'drill failover, drill haproxy, drill agent': DRILLS,
  'pause, resume': [automationResult(true, { addresses: movedAddresses() })],
  servers: servers(),
  haproxy: [
    haproxyResult('show info', [
      { node: 'haproxy01', problem: '', bytes: Buffer.from('Pid: 1\n'), cut: false },
      { node: 'haproxy02', problem: 'no answer', bytes: Buffer.from(''), cut: false },
    ]),
  ],
  'drain, ready, maint, weight': [serversResult({ servers: [drained] })],
  'cert push, cert rollback': [certificatesResult({ certificates: [swapped] })],
  'cert list, cert show, cert verify': certificateList(),
  'acme present, acme cleanup': [challengeResult('t', 'www.example.net'), challengeResult('t', '')],
  'acme list': [challengesResult([intentOf({ key: 'challenge/t', value: 'a' })])],
  'context list': [
    contextsResult('/etc/config.toml', [{ name: 'web', current: true, agents: ['::1'] }]),
  ],
  'context show': [shownResult({ ...imported, agents: [TRIED], files: null })],
  'context import': [importedResult(imported)],
  'context add, context use, context remove': [keptResult(imported)],
  setup: [setupResult([{ path: 'a', what: 'new' }])],
  'setup --write': [
    hostResult('haproxy01', [{ path: 'a', what: 'new', backup: null }], ['service pf reload']),
  ],
  'setup --example': [exampleResult('x')],
  ...PKI_EXAMPLES,
};
