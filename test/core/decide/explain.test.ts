import test from 'ava';
import { explainAddress } from '../../../agent/core/decide/explain.ts';
import { forecast } from '../../../agent/core/decide/forecast.ts';
import type { NodeView } from '../../../agent/core/model.ts';
import { heard, intent, view, wishes } from '../builders.ts';
import { address, NOW, report } from '../../reports.ts';
import { A, B, C, DEAD, MASTER, onA, onB, onC } from './three-nodes.ts';

const flips = (nodes: readonly NodeView[], change: Parameters<typeof view>[2] = {}) =>
  explainAddress(view(A, nodes, change), '1@wan', NOW).flips.map(
    ({ text, owner }) => `${text}: ${owner}`,
  );

test('explain tells every node as it is, who is away and why', (t) => {
  const nodes = [
    onA(MASTER),
    onB({ baseAdvskew: null, advskew: 254, readySinceMs: NOW }, { demotion: 240 }),
    { ...onC(), fresh: false, peerClass: 'frozen' as const },
    heard(report('haproxy04', { addresses: [address({ address: '2@wan' })] })),
  ];
  const intents = wishes(intent('pin/1@wan', A), intent(`maintenance/${B}`, 'on'));
  t.deepEqual(explainAddress(view(A, nodes, { intents }), '1@wan', NOW), {
    address: '1@wan',
    owner: A,
    because: 'demotion',
    standings: [
      {
        node: A,
        unableBecause: '',
        health: 'serving',
        healthReason: 'HAProxy serves',
        healthSinceMs: NOW - 600_000,
        maintenance: false,
        pinned: true,
        ripe: true,
        advskew: 0,
        state: 'MASTER',
      },
      {
        node: B,
        unableBecause: 'its CARP demotion is 240',
        health: 'serving',
        healthReason: 'HAProxy serves',
        healthSinceMs: NOW - 600_000,
        maintenance: true,
        pinned: false,
        ripe: false,
        advskew: 254,
        state: 'BACKUP',
      },
    ],
    flips: [
      { text: 'HAProxy on haproxy01 goes down', owner: B },
      { text: 'haproxy01 is not heard', owner: B },
    ],
    absent: ['haproxy03 is frozen', 'haproxy04 is without it'],
  });
});

test('explain: only a node carries it, or nobody does', (t) => {
  const alone = explainAddress(view(A, [onA(MASTER)]), '1@wan', NOW);
  t.deepEqual([alone.owner, alone.because, alone.absent], [A, 'only', []]);
  t.deepEqual(alone.flips, [{ text: 'haproxy01 is not heard', owner: null }]);
  const nobody = explainAddress(view(A, [{ ...onA(), fresh: false }]), '1@wan', NOW);
  t.deepEqual(
    [nobody.owner, nobody.because, nobody.standings, nobody.flips, nobody.absent],
    [null, 'only', [], [], ['haproxy01 is alive']],
  );
});

test('explain: the base is told where it is known, and ripe of a MASTER even where HAProxy is down', (t) => {
  const told = explainAddress(
    view(A, [onA({ ...MASTER, advskew: 254 }, DEAD), onB({ advskew: 254 })]),
    '1@wan',
    NOW,
  ).standings.map(({ node, advskew, ripe }) => [node, advskew, ripe]);
  t.deepEqual(told, [
    [A, 0, true],
    [B, 100, true],
  ]);
});

test('explain: a health that changes is among what moves it, and so is a peer that goes', (t) => {
  t.deepEqual(flips([onA(MASTER, DEAD), onB({}, DEAD)]), [
    'haproxy01 is not heard: haproxy02',
    'haproxy02 serves again: haproxy02',
  ]);
  const weak = { health: 'degraded', healthSinceMs: NOW - 60_000 } as const;
  t.deepEqual(flips([onA({ readySinceMs: NOW - 60_000 }, weak), onB(MASTER)]), [
    'haproxy01 serves again: haproxy01',
    'failover --to haproxy01: haproxy01',
    'HAProxy on haproxy02 goes down: haproxy01',
    'haproxy02 is degraded for 10 s: haproxy01',
    'maintenance on haproxy02: haproxy01',
    'haproxy02 is not heard: haproxy01',
  ]);
});

test('explain: maintenance is offered only while another fresh node lives', (t) => {
  const offered = (...others: readonly NodeView[]) =>
    flips([onA(MASTER), ...others]).some((text) => text.startsWith('maintenance on haproxy01'));
  t.true(offered(onB()));
  t.false(offered(onB({}, DEAD)));
  t.true(offered(onB({}, DEAD), onC()));
  t.true(offered(onB(), onC({}, DEAD)));
  const away = explainAddress(
    view(A, [onA(MASTER, { demotion: 240 }), { ...onB(), fresh: false }]),
    '1@wan',
    NOW,
  );
  t.deepEqual(away.flips, [{ text: 'haproxy01 is not heard', owner: null }]);
});

test('explain: a wish that is taken back leaves the others as they are', (t) => {
  const intents = wishes(intent('pin/1@wan', B), intent(`maintenance/${A}`, 'on'));
  t.deepEqual(flips([onA(), onB(MASTER)], { intents }), [
    'HAProxy on haproxy02 goes down: haproxy01',
    'haproxy02 is not heard: haproxy01',
  ]);
});

const foreseen = (nodes: readonly NodeView[], ...list: readonly ReturnType<typeof intent>[]) =>
  forecast(view(A, nodes), wishes(...list), NOW);

test('forecast: the moves that other wishes bring within hold, by address', (t) => {
  const two = (node: string, states: readonly ('MASTER' | 'BACKUP')[], baseAdvskew: number) =>
    heard(
      report(node, {
        addresses: states
          .map((state, at) =>
            address({ address: `${at + 1}@wan`, vhid: at + 1, state, baseAdvskew }),
          )
          .reverse(),
      }),
    );
  const nodes = [two(A, ['MASTER', 'MASTER'], 0), two(B, ['BACKUP', 'BACKUP'], 100)];
  t.deepEqual(foreseen(nodes, intent(`maintenance/${A}`, 'on')), [
    { address: '1@wan', from: A, to: B },
    { address: '2@wan', from: A, to: B },
  ]);
  t.deepEqual(foreseen(nodes, intent('pin/2@wan', B)), [{ address: '2@wan', from: A, to: B }]);
  const mixed = [two(A, ['MASTER', 'BACKUP'], 0), two(B, ['BACKUP', 'MASTER'], 100)];
  t.deepEqual(foreseen(mixed, intent('pin/2@wan', B)), []);
  t.deepEqual(foreseen(mixed, intent(`maintenance/${B}`, 'on')), []);
  t.deepEqual(foreseen(mixed, intent(`maintenance/${A}`, 'on')), [
    { address: '1@wan', from: A, to: B },
  ]);
});

test('forecast: of several MASTERs, or of none, no node is left; who is not heard has no part', (t) => {
  const care = intent(`maintenance/${A}`, 'on');
  t.deepEqual(foreseen([onA(MASTER), onB(MASTER)], care), [
    { address: '1@wan', from: null, to: B },
  ]);
  t.deepEqual(foreseen([onA(), onB()], care), [{ address: '1@wan', from: null, to: B }]);
  t.deepEqual(foreseen([onA(MASTER), { ...onB(MASTER), fresh: false }], care), []);
  t.deepEqual(foreseen([onA(MASTER), { ...onB(), report: null }, onC()], care), [
    { address: '1@wan', from: A, to: C },
  ]);
});

test('explain: one that a pin may bring it to at once is ripe', (t) => {
  const ripe = (intents = wishes()) =>
    explainAddress(
      view(A, [onA({ readySinceMs: NOW }), onB(MASTER)], { intents }),
      '1@wan',
      NOW,
    ).standings.map((one) => one.ripe);
  t.deepEqual(
    [ripe(), ripe(wishes(intent('pin/1@wan', A)))],
    [
      [false, true],
      [true, true],
    ],
  );
});

test('explain: while paused a dead MASTER in maintenance gives the address to one that lives', (t) => {
  const intents = wishes(intent('pause', 'on'));
  t.deepEqual(flips([onA(MASTER, DEAD), onB()], { intents }), [
    'resume: haproxy02',
    'maintenance on haproxy01: haproxy02',
    'haproxy01 is not heard: haproxy02',
    'failover --to haproxy02: haproxy02',
  ]);
});
