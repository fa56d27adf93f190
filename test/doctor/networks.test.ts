import test from 'ava';
import { diagnose } from '../../agent/core/doctor/diagnose.ts';
import type { PfFacts } from '../../agent/core/doctor/inspection.ts';
import type { NodeReport } from '../../agent/core/model.ts';
import { inspectCarp, inspectPf } from '../../agent/inspect/carp.ts';
import type { Exec } from '../../agent/sys/exec.ts';
import { fixture } from '../fixture.ts';
import { carp, counters, pairwise, vhid, well } from './inspections.ts';

const TOOLS = {
  ifconfig: 'ifconfig',
  sysctl: 'sysctl',
  kldstat: 'kldstat',
  netstat: 'netstat',
  pfctl: 'pfctl',
  ngctl: 'ngctl',
};

/** A host whose ifconfig(8) prints this text; vhid 107 is one of the pair's, on the network `lan`. */
function host(text: string, on: string, change: (text: string) => string = (same) => same) {
  const exec: Exec = (tool) =>
    Promise.resolve(tool === 'ifconfig' ? change(fixture(`freebsd/${text}`)) : '');
  const address = { address: '107@lan', interface: on, vhid: 107, baseAdvskew: null };
  const report = { addresses: [address] } as unknown as NodeReport;
  return inspectCarp(exec, TOOLS, report, []);
}

const found = (...facts: readonly Awaited<ReturnType<typeof host>>[]) =>
  diagnose(
    facts.map((one, at) => well(`haproxy0${at + 1}`, { carp: one })),
    pairwise(),
  );

test('vlan on lagg: zones of link-local addresses differ, and nothing is wrong with the addresses', async (t) => {
  const first = await host('ifconfig-14-lagg-vlan-a.txt', 'lagg0.20');
  const second = await host('ifconfig-14-lagg-vlan-b.txt', 'ix0.20');
  t.deepEqual(
    found(first, second).map(({ id, do: remedies }) => [id, remedies]),
    [
      [
        'carp-advskew-equal',
        [
          {
            node: 'haproxy02',
            file: '/etc/rc.conf',
            line: 'in each ifconfig_ix0_20_alias with vhid 107',
            text: 'advskew 100',
          },
        ],
      ],
    ],
  );
});

test('an address that one of them lacks: a line with a name that sh takes, and no zone in it', async (t) => {
  const first = await host('ifconfig-14-lagg-vlan-a.txt', 'lagg0.20', (text) =>
    text.replace(/.*fe80.*\n/, '').replace('advskew 0', 'advskew 100'),
  );
  const second = await host('ifconfig-14-lagg-vlan-b.txt', 'ix0.20');
  t.deepEqual(
    found(first, second).map(({ id, do: remedies }) => [id, remedies]),
    [
      [
        'carp-addresses',
        [
          {
            node: 'haproxy01',
            file: '/etc/rc.conf',
            line: 'behind the other aliases, the next number for N',
            text: 'ifconfig_lagg0_20_aliasN="inet6 vhid 107 advskew 100 pass PASSWORD alias fe80::1/128"',
          },
        ],
      ],
    ],
  );
});

test('one link-local address on two networks is two addresses; on one network it needs one vhid', (t) => {
  const on = (network: string, id: number, advskew = 0) =>
    vhid({
      address: `${id}@${network}`,
      interface: network,
      vhid: id,
      vips: [`fe80::1%${network}`],
      advskew,
      base: advskew,
    });
  const both = carp({ vhids: [on('em0', 1), on('em1', 2)] });
  const other = carp({ vhids: [on('em0', 1, 100), on('em1', 2, 100)] });
  t.deepEqual(found(both, other), []);
  t.deepEqual(
    found(both, carp({ vhids: [on('em0', 3, 100), on('em1', 2, 100)] })).map(({ id }) => id),
    ['carp-vhid'],
  );
});

/** What becomes of adverts on vtnet0 by these rules. */
const pf = (rules: string, interfaces: string, over = {}): Promise<PfFacts> =>
  inspectPf(
    {
      pfInfo: () => Promise.resolve('Status: Enabled for 0 days\n'),
      pfRules: () => Promise.resolve(rules),
      pfInterfaces: () => Promise.resolve(interfaces),
    },
    [vhid({ vips: ['10.1.60.200'], ...over })],
  );
const findings = async (rules: string, interfaces: string, over = {}) => {
  const facts = await pf(rules, interfaces, over);
  const quiet = counters();
  return diagnose(
    [well('haproxy01', { counters: quiet, pf: facts }), well('haproxy02', { counters: quiet })],
    pairwise(),
  ).flatMap(({ saw }) => saw);
};
const SKIP = fixture('freebsd/pfctl-sr-set-skip.txt');
const DROPPED = 'haproxy01: pf drops proto carp in on vtnet0, inet: block drop log all (pfctl -sr)';

test('set skip: pf does nothing there, by the name of the interface or of its group', async (t) => {
  t.deepEqual(await findings(SKIP, 'all\nlo0 (skip)\nvtnet0\n'), [DROPPED]);
  t.deepEqual(await findings(SKIP, 'all\nlo0 (skip)\nvtnet0 (skip)\n'), []);
  t.deepEqual(await findings(SKIP, 'all\nvtnet (skip)\nvtnet0\n'), []);
});

test('an anchor may pass what the rules after it drop: no finding; one that cannot match is none', async (t) => {
  const rules = (anchor: string): string => `${anchor}\nblock drop log all\n`;
  t.deepEqual(await findings(rules('anchor "carp/*" all'), ''), []);
  t.deepEqual(await findings(rules('anchor on vtnet0 inet proto carp all {'), ''), []);
  t.deepEqual(await findings(rules('anchor "ftp" in on vtnet0 proto tcp all'), ''), [
    DROPPED,
    DROPPED.replace(' in on', ' out on'),
  ]);
});

test('unicast CARP: rules for the group do not decide, rules for all do', async (t) => {
  const group = 'pass all\nblock drop in proto carp from any to 224.0.0.18\n';
  t.is((await findings(group, '')).length, 1);
  t.deepEqual(await findings(group, '', { peer: '192.0.2.3' }), []);
  t.is((await findings('block drop in all\n', '', { peer: '192.0.2.3' })).length, 1);
});

test('counters of the same run say that adverts get through: the rules were not all', async (t) => {
  const facts = await pf('block drop all\n', '');
  const ids = (own: number, peers: number) =>
    diagnose(
      [
        well('haproxy01', { counters: counters({ received: { v4: own, v6: 0 } }), pf: facts }),
        well('haproxy02', { counters: counters({ received: { v4: peers, v6: 0 } }) }),
      ],
      pairwise(),
    ).flatMap(({ saw }) => saw.map((one) => one.replace(/, inet:.*/, '')));
  const drops = (way: string): string => `haproxy01: pf drops proto carp ${way} on vtnet0`;
  t.deepEqual(ids(0, 0), [drops('in'), drops('out')]);
  t.deepEqual(ids(2, 0), [drops('out')]);
  t.deepEqual(ids(2, 2), []);
});
