import test from 'ava';
import { inspectCarp, inspectPf } from '../../agent/inspect/carp.ts';
import { inspectLevel } from '../../agent/inspect/haproxy.ts';
import type { Exec } from '../../agent/sys/exec.ts';
import { fixture } from '../fixture.ts';
import { vhid } from './inspections.ts';

// What doctor makes of the texts that FreeBSD 12.1-RELEASE printed.

const text = (name: string): string => fixture(`freebsd-12.1/${name}.txt`);
const tools = {
  ifconfig: 'ifconfig',
  sysctl: 'sysctl',
  kldstat: 'kldstat',
  netstat: 'netstat',
  ngctl: 'ngctl',
};

test('CARP of a host: one vhid of both families, with the lengths of its addresses', async (t) => {
  const exec: Exec = (tool) =>
    Promise.resolve(
      { ifconfig: text('ifconfig-12.1-one-vhid-backup'), sysctl: text('sysctl-12.1-carp') }[tool] ??
        '',
    );
  t.deepEqual(await inspectCarp(exec, tools, null, []), {
    module: true,
    preempt: false,
    allow: true,
    fenced: false,
    demotion: 0,
    downFactor: 240,
    vhids: [
      {
        address: '1@vtnet1',
        interface: 'vtnet1',
        vhid: 1,
        state: 'BACKUP',
        advbase: 1,
        advskew: 100,
        peer: null,
        peer6: null,
        base: null,
        vips: ['10.1.60.200', 'fd00:60::200'],
        prefixes: ['10.1.60.200/32', 'fd00:60::200/128'],
      },
    ],
    rc: [],
  });
});

const inspected = (info: string, rules: string) =>
  inspectPf(
    {
      pfInfo: () => Promise.resolve(text(info)),
      pfRules: () => Promise.resolve(text(rules)),
      pfInterfaces: () => Promise.resolve(''),
    },
    [vhid({ interface: 'vtnet1', vips: ['10.1.60.200', 'fd00:60::200'] })],
  );

test('pf: the rules that setup writes let adverts pass, one rule a family', async (t) => {
  const advert = (family: 'inet' | 'inet6', direction: 'in' | 'out') => ({
    interface: 'vtnet1',
    family,
    direction,
    passes: true,
    rule: `pass quick on vtnet1 ${family} proto carp all keep state (no-sync)`,
  });
  t.deepEqual(await inspected('pfctl-12.1-s-info', 'pfctl-12.1-sr-setup'), {
    enabled: true,
    adverts: [
      advert('inet', 'in'),
      advert('inet', 'out'),
      advert('inet6', 'in'),
      advert('inet6', 'out'),
    ],
  });
});

test('pf: adverts that come in are dropped, and the rule is named', async (t) => {
  const { enabled, adverts } = await inspected('pfctl-12.1-s-info', 'pfctl-12.1-sr-carp-blocked');
  t.true(enabled);
  t.deepEqual(
    adverts.map(({ family, direction, passes, rule }) => [family, direction, passes, rule]),
    (['inet', 'inet6'] as const).flatMap((family) => [
      [family, 'in', false, 'block drop in quick on vtnet1 proto carp all'],
      [family, 'out', true, 'pass out all flags S/SA keep state'],
    ]),
  );
});

test('pf: loaded and not enabled', async (t) => {
  t.deepEqual(await inspected('pfctl-12.1-s-info-disabled', 'pfctl-12.1-sr-carp-blocked'), {
    enabled: false,
    adverts: [],
  });
});

test('the level of the stats socket, from the HAProxy of that host', async (t) => {
  const ask = () => Promise.resolve(text('haproxy-2.6.12-freebsd-show-cli-sockets'));
  t.deepEqual(await inspectLevel(ask, '/var/run/haproxy.sock'), {
    path: '/var/run/haproxy.sock',
    level: 'admin',
  });
});
