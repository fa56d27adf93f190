import type {
  CarpFacts,
  CertificateFacts,
  ConfigFacts,
  Counters,
  Inspection,
  Knock,
  Pairwise,
  Probe,
  VhidFacts,
} from '../../agent/core/doctor/inspection.ts';

// What two healthy hosts find on themselves, to be changed in one place by a test.

type Value<P extends keyof Inspection> = Extract<
  Inspection[P],
  { readonly value: unknown }
>['value'];

type Values = {
  readonly [P in Exclude<keyof Inspection, 'node' | 'agentVersion'>]: Value<P>;
};

const VIPS = ['10.1.60.200', 'fd5e:d1c2:c9de:60::200'];

export const vhid = (over: Partial<VhidFacts> = {}): VhidFacts => ({
  address: '1@vtnet0',
  interface: 'vtnet0',
  vhid: 1,
  state: 'BACKUP',
  advbase: 1,
  advskew: 0,
  peer: null,
  peer6: null,
  base: 0,
  vips: VIPS,
  prefixes: (over.vips ?? VIPS).map((vip) => `${vip}/${vip.includes(':') ? 128 : 32}`),
  ...over,
});

export const carp = (over: Partial<CarpFacts> = {}): CarpFacts => ({
  module: true,
  preempt: true,
  allow: true,
  fenced: false,
  demotion: 0,
  downFactor: 240,
  vhids: [vhid()],
  rc: [],
  ...over,
});

export const counters = (over: Partial<Counters> = {}): Counters => ({
  ms: 2500,
  sent: { v4: 0, v6: 0 },
  received: { v4: 0, v6: 0 },
  badAuth: 0,
  badVhid: 0,
  ...over,
});

export const config = (over: Partial<ConfigFacts> = {}): ConfigFacts => ({
  path: '/usr/local/etc/haproxy.conf',
  digest: 'd1',
  sections: [{ name: 'global', digest: 'g1' }],
  sockets: [
    {
      path: '/var/run/haproxy.sock',
      level: 'admin',
      line: 3,
      text: 'stats socket /var/run/haproxy.sock level admin',
    },
  ],
  servers: [],
  tables: [],
  peers: [],
  hosts: [],
  acme: [],
  plain: null,
  ...over,
});

export const certificate = (over: Partial<CertificateFacts> = {}): CertificateFacts => ({
  path: '/usr/local/etc/ssl/example.net.pem',
  keyFile: '/usr/local/etc/ssl/example.net.pem',
  mode: 0o600,
  names: ['example.net', '*.example.net'],
  notAfter: '2027-03-01T00:00:00Z',
  endsInMs: 60 * 86_400_000,
  problem: null,
  warnings: [],
  tooLarge: null,
  ...over,
});

export const answers = (address: string): Knock => ({ address, answers: true, why: '' });
export const refuses = (address: string): Knock => ({
  address,
  answers: false,
  why: 'ECONNREFUSED',
});

export const probe = (
  name: string,
  host: string,
  addresses: Knock[],
  over: Partial<Probe> = {},
): Probe => ({
  backend: 'APP',
  server: name,
  host,
  port: 8082,
  line: 40,
  text: `server ${name} ${host}:8082 check`,
  addresses,
  ...over,
});

/** A host that found nothing amiss but what is given. */
export const well = (node: string, over: Partial<Values> = {}): Inspection => {
  const values: Values = {
    carp: carp({
      vhids: [vhid(node === 'haproxy01' ? { state: 'MASTER' } : { advskew: 100, base: 100 })],
    }),
    counters: counters(
      node === 'haproxy01' ? { sent: { v4: 3, v6: 3 } } : { received: { v4: 3, v6: 3 } },
    ),
    pf: { enabled: false, adverts: [] },
    neighbours: { untold: null, entries: [] },
    config: config(),
    check: { ok: true, command: 'haproxy -c -f /usr/local/etc/haproxy.conf', said: [] },
    running: { answers: true, why: '' },
    level: { path: '/var/run/haproxy.sock', level: 'admin' },
    probes: [],
    certificates: [certificate()],
    keys: [{ path: '/usr/local/etc/proxyctl/tls/node.key', mode: 0o600 }],
    lowered: [],
    stateFiles: [],
    transaction: null,
    responder: [refuses('127.0.0.1:7661'), refuses('[::1]:7661')],
    witness: { known: 2, answered: 2 },
    others: [],
    ...over,
  };
  const parts = Object.entries(values).map(([name, value]) => [name, { value }]);
  return { ...(Object.fromEntries(parts) as Inspection), node, agentVersion: '0.1.0' };
};

/** Nobody away, clocks equal, nothing drained on purpose. */
export const pairwise = (over: Partial<Pairwise> = {}): Pairwise => ({
  asked: 'haproxy01',
  away: [],
  clocks: [],
  wished: [],
  uncounted: [],
  alarmDays: 30,
  ...over,
});
