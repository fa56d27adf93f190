import test from 'ava';
import { diagnose } from '../../agent/core/doctor/diagnose.ts';
import { counters, pairwise, well } from './inspections.ts';

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
        why: 'The password or the list of addresses differs between the hosts: both take the address.',
        do: [
          {
            node: 'haproxy02',
            file: '/etc/rc.conf',
            line: 'in each ifconfig_vtnet0_alias with vhid 1',
            text: 'pass PASSWORD, the same on every host and at most 19 characters',
          },
        ],
      },
    ],
  );
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
