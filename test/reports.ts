import type { InspectedCertificate } from '../agent/core/answers.ts';
import type { AddressReport, HaproxyReport, NodeReport } from '../agent/core/model.ts';

// A new field of a report is added to the tests here, once.

/** The moment these reports are looked at, ms; what they tell began ten minutes before. */
export const NOW = 1_000_000;
const LONG_AGO = NOW - 600_000;

/** 1@wan as a host has it; BACKUP at its base unless said. */
export function address(change: Partial<AddressReport> = {}): AddressReport {
  const base = change.baseAdvskew ?? 0;
  return {
    address: '1@wan',
    vhid: 1,
    network: 'wan',
    interface: 'vtnet0',
    vips: ['10.1.60.200'],
    state: 'BACKUP',
    stateSinceMs: LONG_AGO,
    advbase: 1,
    advskew: base,
    baseAdvskew: base,
    owner: null,
    yieldTo: null,
    reason: '',
    reasonSinceMs: LONG_AGO,
    readySinceMs: LONG_AGO,
    byHand: false,
    advertsLost: false,
    cutOff: false,
    inTouch: false,
    movesAtMs: [],
    heldAtMs: null,
    ...change,
  };
}

/** An HAProxy that is up, with two backends that are up. */
export function haproxy(change: Partial<HaproxyReport> = {}): HaproxyReport {
  return {
    instance: '',
    state: 'up',
    stateSinceMs: LONG_AGO,
    problem: '',
    version: '2.6.12',
    pid: 100,
    startedMs: 0,
    sessions: 0,
    older: { processes: 0, sessions: 0, uncounted: 0, problem: '' },
    frontends: [{ name: 'web', open: true, required: true }],
    backends: [
      { name: 'GITEA', up: true, serversUp: 1, servers: 1 },
      { name: 'WEB', up: true, serversUp: 3, servers: 3 },
    ],
    certificates: [],
    drift: [],
    drifted: 0,
    ...change,
  };
}

/** A node that serves, has joined, and has seen the others as they are. */
export function report(node: string, change: Partial<NodeReport> = {}): NodeReport {
  return {
    node,
    epoch: 1,
    startId: 0,
    sequence: 7,
    protocol: 1,
    agentVersion: '0.1.0',
    joined: true,
    leaving: false,
    fenced: false,
    networks: [],
    knownBases: [],
    preempt: false,
    demotion: 0,
    addresses: [address()],
    haproxy: [haproxy()],
    health: 'serving',
    healthSinceMs: LONG_AGO,
    healthReason: 'HAProxy serves',
    problems: [],
    seen: ['haproxy01', 'haproxy02', 'haproxy03'].map((name) => ({
      node: name,
      epoch: 1,
      startId: 0,
      sequence: 7,
      ageMs: 0,
    })),
    doubles: [],
    applied: [],
    notify: { targets: [], notices: [], told: [], raised: [] },
    icmp: 'none',
    carpEvents: 'events',
    agentStartedMs: 0,
    wallMs: NOW,
    ...change,
  };
}

/** A certificate of which disk, memory and clients say the same. */
export const inspected = (
  sha1: string,
  more: Partial<InspectedCertificate> = {},
): InspectedCertificate => ({
  name: 'site',
  path: '/c/site.pem',
  memory: sha1,
  disk: sha1,
  served: sha1,
  sha256: 'x',
  notAfter: '2099-01-24T00:00:00Z',
  names: ['www.example.net'],
  problem: '',
  previous: null,
  renewal: '',
  ...more,
});
