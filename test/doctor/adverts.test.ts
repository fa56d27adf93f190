import test from 'ava';
import { diagnose } from '../../agent/core/doctor/diagnose.ts';
import { carp, counters, pairwise, vhid, well } from './inspections.ts';

/** What is said of haproxy02's adverts, however it was found. */
const NOT_AUTHENTIC = {
  why: 'The password or the list of addresses differs, or a kernel kept the end of a longer old password, which ifconfig -k does not show: both take the address.',
  do: [
    {
      node: 'haproxy02',
      file: '/etc/rc.conf',
      line: 'in each ifconfig_vtnet0_alias with vhid 1',
      text: 'pass PASSWORD, the same on every host: 19 characters overwrite all of an older one',
    },
    {
      node: 'haproxy02',
      file: null,
      line: null,
      text: 'ifconfig vtnet0 vhid 1 pass PASSWORD',
    },
  ],
};

test('adverts that leave and do not arrive, and the rule of pf that drops them', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        well('haproxy02', {
          counters: counters(),
          pf: {
            enabled: true,
            adverts: [
              {
                interface: 'vtnet0',
                family: 'inet',
                direction: 'in',
                passes: false,
                rule: 'block drop in log all',
              },
              { interface: 'vtnet0', family: 'inet6', direction: 'in', passes: true, rule: null },
            ],
          },
        }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'carp-adverts-lost',
        severity: 'fail',
        address: '1@vtnet0',
        nodes: ['haproxy02'],
        saw: [
          'haproxy01 sent 3 CARP adverts over IPv4 in 2.5 s, haproxy02 received 0',
          'haproxy01 sent 3 CARP adverts over IPv6 in 2.5 s, haproxy02 received 0',
          'haproxy02: pf drops proto carp in on vtnet0, inet: block drop in log all (pfctl -sr)',
        ],
        why: 'A BACKUP that hears nothing takes the address after 3 to 4 s: both answer.',
        do: [
          {
            node: 'haproxy02',
            file: '/etc/pf.conf',
            line: 'before the first `block` with quick',
            text: 'pass quick on vtnet0 proto carp keep state (no-sync)',
          },
          {
            node: 'haproxy02',
            file: null,
            line: null,
            text: 'pfctl -nf /etc/pf.conf && pfctl -f /etc/pf.conf',
          },
        ],
      },
    ],
  );
});

test('one family lost and no pf: where to look on', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        well('haproxy02', { counters: counters({ received: { v4: 3, v6: 0 } }) }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'carp-adverts-lost',
        severity: 'fail',
        address: '1@vtnet0',
        nodes: ['haproxy02'],
        saw: ['haproxy01 sent 3 CARP adverts over IPv6 in 2.5 s, haproxy02 received 0'],
        why: 'A BACKUP that hears nothing takes the address after 3 to 4 s: both answer.',
        do: [
          {
            node: 'haproxy02',
            file: null,
            line: null,
            text: 'tcpdump -npi vtnet0 -T carp proto 112',
          },
        ],
      },
    ],
  );
});

test('pf would drop what still arrives by an older state', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        well('haproxy02', {
          pf: {
            enabled: true,
            adverts: [
              {
                interface: 'vtnet0',
                family: 'inet6',
                direction: 'out',
                passes: false,
                rule: 'block drop out quick inet6 all',
              },
            ],
          },
        }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'pf-drops-carp',
        severity: 'fail',
        address: null,
        nodes: ['haproxy02'],
        saw: [
          'haproxy02: pf drops proto carp out on vtnet0, inet6: block drop out quick inet6 all (pfctl -sr)',
        ],
        why: 'Adverts that pf drops are not heard: both hosts take the address.',
        do: [
          {
            node: 'haproxy02',
            file: '/etc/pf.conf',
            line: 'before the first `block` with quick',
            text: 'pass quick on vtnet0 proto carp keep state (no-sync)',
          },
          {
            node: 'haproxy02',
            file: null,
            line: null,
            text: 'pfctl -nf /etc/pf.conf && pfctl -f /etc/pf.conf',
          },
        ],
      },
    ],
  );
});

test('rules of a pf that is not enabled are no finding', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        well('haproxy02', {
          pf: {
            enabled: false,
            adverts: [
              {
                interface: 'vtnet0',
                family: 'inet',
                direction: 'in',
                passes: false,
                rule: 'block drop all',
              },
            ],
          },
        }),
      ],
      pairwise(),
    ),
    [],
  );
});

test('bad authentication grows: password or address list differs', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        well('haproxy02', { counters: counters({ received: { v4: 3, v6: 3 }, badAuth: 6 }) }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'carp-authentication',
        severity: 'fail',
        address: '1@vtnet0',
        nodes: ['haproxy02'],
        saw: [
          'haproxy02: 6 adverts in 2.5 s discarded for bad authentication (netstat -s -p carp)',
        ],
        ...NOT_AUTHENTIC,
      },
    ],
  );
});

test('fenced and adverts of every family arrive: a wrong password is not counted there', (t) => {
  const fenced = (received: { v4: number; v6: number }) =>
    diagnose(
      [
        well('haproxy01'),
        well('haproxy02', {
          counters: counters({ received }),
          carp: carp({
            allow: false,
            fenced: true,
            demotion: 240,
            vhids: [vhid({ state: 'INIT', advskew: 254, base: 100 })],
          }),
        }),
      ],
      pairwise(),
    ).filter(({ id }) => id === 'carp-authentication');
  t.deepEqual(fenced({ v4: 3, v6: 3 }), [
    {
      id: 'carp-authentication',
      severity: 'warn',
      address: '1@vtnet0',
      nodes: ['haproxy02'],
      saw: [
        'haproxy02: fenced, and 6 adverts arrived in 2.5 s; whether they are authentic is not counted while net.inet.carp.allow is 0',
      ],
      ...NOT_AUTHENTIC,
    },
  ]);
  t.deepEqual([fenced({ v4: 3, v6: 0 }), fenced({ v4: 0, v6: 0 })], [[], []]);
});

test('one advert sent is no proof of anything', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', { counters: counters({ sent: { v4: 1, v6: 1 } }) }),
        well('haproxy02', { counters: counters() }),
      ],
      pairwise(),
    ),
    [],
  );
});
