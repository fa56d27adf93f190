import test from 'ava';
import { parsePfRules, pfVerdict, type PfPacket } from '../../agent/carp/pf.ts';
import { fixture } from '../fixture.ts';

const packet = (change: Partial<PfPacket> = {}): PfPacket => ({
  interface: 'vtnet0',
  direction: 'in',
  family: 'inet',
  proto: 'carp',
  from: null,
  to: null,
  port: null,
  ...change,
});

/** Action and the rules that decide. */
function verdict(text: string, change: Partial<PfPacket> = {}): string[] {
  const { action, rules } = pfVerdict(parsePfRules(text), packet(change));
  return [action, ...rules];
}

const PAIR = fixture('freebsd/pfctl-sr-carp-pair.txt');
const PFSENSE = fixture('freebsd/pfctl-sr-pfsense.txt');

test('a CARP pair: adverts pass on its two interfaces and nowhere else', (t) => {
  t.deepEqual(verdict(PAIR, { interface: 'vtnet4' }), [
    'pass',
    'pass quick on vtnet4 proto carp all keep state (no-sync)',
  ]);
  t.deepEqual(verdict(PAIR, { interface: 'vtnet3', family: 'inet6', direction: 'out' }), [
    'pass',
    'pass quick on vtnet3 proto carp all keep state (no-sync)',
  ]);
  const from = 'pass log inet from <__automatic_8a1ff95a_0> to any flags S/SA keep state';
  // A table decides: what is in it is not told here.
  t.deepEqual(verdict(PAIR, { interface: 'vtnet1' }), ['depends', 'block drop all', from]);
  t.deepEqual(verdict(PAIR, { proto: 'ipv6-icmp', family: 'inet6', from: 'fd5e::1' }), [
    'pass',
    'pass proto ipv6-icmp all keep state',
  ]);
  t.deepEqual(verdict(PAIR, { family: 'inet6', from: 'fd5e::1' }), ['block', 'block drop all']);
});

test('pfSense: labels, numbers, anchors and routes are read past', (t) => {
  const icmp = { proto: 'icmp', interface: 'em0', from: '10.0.2.9' } as const;
  t.deepEqual(verdict(PFSENSE, { ...icmp, to: '10.0.2.4' }).slice(0, 1), ['depends']);
  const bare = PFSENSE.replaceAll(/^.*<snort2c>.*\n/gm, '');
  t.deepEqual(verdict(bare, { ...icmp, to: '10.0.2.4' }), [
    'pass',
    'pass in log quick on em0 reply-to (em0 10.0.2.1) inet proto icmp from any to 10.0.2.4 keep state label "USER_RULE: Permite ICMP en la interfaz WAN" ridentifier 1681418172',
  ]);
  t.deepEqual(verdict(bare, { interface: 'em2', from: '172.16.1.9' }), [
    'block',
    'block drop in log inet all label "Default deny rule IPv4" ridentifier 1000000103',
  ]);
  t.deepEqual(verdict(bare, { interface: 'em2', from: '10.0.2.4' }), [
    'block',
    'block drop in log inet from 10.0.2.4 to any ridentifier 1000001570',
  ]);
  t.is(verdict(bare, { interface: 'lo0', from: '127.0.0.1' })[0], 'pass');
});

test('the last rule that matches decides, and the first with quick', (t) => {
  t.deepEqual(verdict('block drop all\npass proto carp all\n'), ['pass', 'pass proto carp all']);
  t.deepEqual(verdict('pass proto carp all\nblock drop all\n'), ['block', 'block drop all']);
  t.deepEqual(verdict('pass quick proto carp all\nblock drop all\n')[0], 'pass');
  t.deepEqual(verdict('block drop quick all\npass quick proto carp all\n')[0], 'block');
});

test('without rules, or with none that matches, everything passes', (t) => {
  t.deepEqual(verdict(''), ['pass']);
  t.deepEqual(verdict('block drop in on vtnet1 all\nblock drop out all\n'), ['pass']);
  t.deepEqual(verdict('scrub in all fragment reassemble\nmatch in all scrub (no-df)\n'), ['pass']);
});

test('interfaces: another, a negated one, and groups', (t) => {
  t.is(verdict('block drop on vtnet1 all')[0], 'pass');
  t.is(verdict('block drop on ! vtnet1 all')[0], 'block');
  t.is(verdict('block drop on ! vtnet0 all')[0], 'pass');
  // The driver is a group of all its interfaces; of others ifconfig knows.
  t.is(verdict('block drop on vtnet all')[0], 'block');
  t.is(verdict('block drop on egress all')[0], 'depends');
});

test('protocols by name and by number: 112 is carp or vrrp', (t) => {
  for (const name of ['carp', 'vrrp', '112'])
    t.is(verdict(`block drop all\npass proto ${name} all keep state`)[0], 'pass');
  t.is(verdict('block drop all\npass proto pfsync all keep state')[0], 'block');
  t.is(verdict('block drop all\npass inet6 proto carp all keep state')[0], 'block');
});

test('TCP ports: by name, number, range; addresses and their negation', (t) => {
  const https = { proto: 'tcp', port: 443, from: '10.1.60.9', to: '10.1.60.200' } as const;
  const pass = (rest: string): string => verdict(`block drop all\npass in ${rest}`, https)[0] ?? '';
  t.deepEqual(
    [
      pass('proto tcp from any to any port = https flags S/SA keep state'),
      pass('proto tcp from any to any port = 7660 flags S/SA keep state'),
      pass('proto tcp from any to any port 400:500 flags S/SA keep state'),
      pass('proto tcp from any to any port 1:80 flags S/SA keep state'),
      pass('proto tcp from 10.1.60.0/24 to 10.1.60.200 port = 443 flags S/SA keep state'),
      pass('proto tcp from ! 10.1.60.0/24 to any port = 443 flags S/SA keep state'),
      pass('proto tcp from any to (vtnet0) port = https flags S/SA keep state'),
      pass('proto tcp from any to any port = imaps flags S/SA keep state'),
      pass('proto tcp from any to any port 400 >< 500 flags S/SA keep state'),
      pass('inet6 proto tcp from any to any port = https flags S/SA keep state'),
    ],
    ['pass', 'block', 'pass', 'block', 'pass', 'block', 'depends', 'depends', 'depends', 'block'],
  );
});

test('fragments are not the packet; other conditions make it depend', (t) => {
  t.is(verdict('block drop in all fragment')[0], 'pass');
  t.is(verdict('block drop in all probability 50%')[0], 'depends');
  t.is(verdict('block drop in all user = 0')[0], 'depends');
});

test('an anchor is told where nothing is certain', (t) => {
  t.deepEqual(verdict('anchor "f2b/*" all\nblock drop from <bad> to any\n'), [
    'depends',
    'anchor "f2b/*" all',
    'block drop from <bad> to any',
  ]);
});

test('rules in braces are those of their anchor, and not of packets that do not get there', (t) => {
  const inline = (on: string, rest = ''): string =>
    `pass all flags S/SA keep state\nanchor ${on} {\n  block drop quick all\n  anchor "deeper" all {\n    block drop all\n  }\n  block drop all\n}\n${rest}`;
  const passing = 'pass all flags S/SA keep state';
  t.deepEqual(verdict(inline('on em1 all')), ['pass', passing]);
  t.deepEqual(verdict(inline('quick on em1 all')), ['pass', passing]);
  const { action, anchors } = pfVerdict(parsePfRules(inline('"lan" on vtnet0 all')), packet());
  t.deepEqual([action, anchors], ['pass', ['anchor "lan" on vtnet0 all {']]);
  t.deepEqual(verdict(inline('on em1 all', 'block drop in proto carp all\n')), [
    'block',
    'block drop in proto carp all',
  ]);
});

test('a range of addresses may hold the one of a packet', (t) => {
  const range =
    'block drop all\npass in inet proto carp from any to 224.0.0.1 - 224.0.0.255 no state\n';
  t.is(verdict(range, { to: '224.0.0.18' })[0], 'depends');
});
