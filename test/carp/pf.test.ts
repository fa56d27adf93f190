import test from 'ava';
import { pfVerdict, type Advert } from '../../agent/carp/pf.ts';

const IN4: Advert = { interface: 'vtnet0', family: 'inet', direction: 'in' };
const passes = (rules: readonly string[], advert: Partial<Advert> = {}): boolean =>
  pfVerdict(rules.join('\n'), { ...IN4, ...advert }).passes;

test('without a rule that matches pf passes', (t) => {
  t.deepEqual(pfVerdict('', IN4), { passes: true, rule: null });
  t.true(passes(['scrub in all fragment reassemble', 'block drop in proto tcp all']));
});

test('the last rule that matches decides, and it is named', (t) => {
  const rules = [
    'block drop in log all',
    'pass out all flags S/SA keep state',
    'pass in on vtnet0 inet proto icmp all icmp-type echoreq keep state',
  ];
  t.deepEqual(pfVerdict(rules.join('\n'), IN4), {
    passes: false,
    rule: 'block drop in log all',
  });
  t.true(passes(rules, { direction: 'out' }));
  t.true(passes([...rules, 'pass on vtnet0 proto carp all keep state']));
});

test('with quick the first one decides', (t) => {
  t.true(passes(['pass quick on vtnet0 proto carp all keep state (no-sync)', 'block drop all']));
  t.false(passes(['block drop in quick all', 'pass on vtnet0 proto carp all']));
});

test('interface, group, "not this one", family and protocol number count', (t) => {
  const blocked = (rule: string): boolean => !passes([rule]);
  t.true(blocked('block drop on vtnet0 all'));
  t.true(blocked('block drop on vtnet all'));
  t.false(blocked('block drop on em0 all'));
  t.true(blocked('block drop on ! em0 all'));
  t.false(blocked('block drop on ! vtnet0 all'));
  t.false(blocked('block drop inet6 all'));
  t.true(blocked('block drop proto 112 all'));
  t.false(blocked('block drop proto tcp from any to any port = http'));
  t.false(passes(['block drop inet6 all'], { family: 'inet6' }));
});

test('a block for other addresses is not about adverts, one for the group is; a pass for peers counts', (t) => {
  t.true(passes(['block drop in from 192.0.2.0/24 to any']));
  t.false(passes(['block drop in proto carp from any to 224.0.0.18']));
  t.true(passes(['block drop all', 'pass in proto carp from 10.1.60.202 to any keep state']));
});
