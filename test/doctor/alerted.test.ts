import test from 'ava';
import { alerted } from '../../agent/core/doctor/alerted.ts';
import type { Finding } from '../../agent/core/doctor/finding.ts';

const alert = (id: string, subject: string, text = 'is so', severity = 'warn', remedy = '') => ({
  id,
  node: 'haproxy01',
  subject,
  severity,
  text,
  remedy,
});
const finding = (id: string, saw: string): Finding => ({
  id,
  severity: 'fail',
  address: null,
  nodes: ['haproxy01'],
  saw: [saw],
  why: '',
  do: [],
});

test('an alert of status that no finding names is a finding, with its remedy', (t) => {
  t.deepEqual(
    alerted(
      [alert('no-master', '1@wan', 'no node is MASTER', 'fail', 'ifconfig on each host')],
      [],
    ),
    [
      {
        id: 'alert-no-master',
        about: '1@wan no node is MASTER',
        severity: 'fail',
        address: '1@wan',
        nodes: ['haproxy01'],
        saw: ['haproxy01: 1@wan: no node is MASTER'],
        why: 'proxyctl status alerts of it, and no check of doctor names its cause.',
        do: [{ node: 'haproxy01', file: null, line: null, text: 'ifconfig on each host' }],
      },
    ],
  );
  t.deepEqual(
    alerted([alert('degraded', 'haproxy01', 'is degraded')], []).map(({ saw }) => saw),
    [['haproxy01: is degraded']],
  );
});

test('what a finding names already is not said twice', (t) => {
  const ids = (id: string, subject: string, found: Finding) =>
    alerted([alert(id, subject)], [found]).map((one) => one.id);
  t.deepEqual(ids('haproxy-down', 'haproxy01', finding('haproxy-down', '')), []);
  t.deepEqual(
    ids('problem', '/ssl/a.pem', finding('cert-expires', 'haproxy01: /ssl/a.pem ends')),
    [],
  );
  t.deepEqual(ids('problem', '/ssl/b.pem', finding('cert-expires', 'haproxy01: /ssl/a.pem ends')), [
    'alert-problem',
  ]);
  t.deepEqual(ids('carp-config', '1@wan', finding('carp-advskew-equal', '')), []);
  t.deepEqual(ids('problem', 'demotion', finding('carp-demotion', '')), []);
  // Both hosts discard for another password: that is the cause, the loss its other name.
  t.deepEqual(ids('adverts-lost', 'haproxy01', finding('carp-authentication', '')), []);
  t.deepEqual(ids('degraded', 'haproxy01', finding('haproxy-down', '')), ['alert-degraded']);
});
