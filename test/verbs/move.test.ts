import test from 'ava';
import type { MoveAct } from '../../agent/core/acts.ts';
import { mergeIntents, pinKey, wish, type Intents } from '../../agent/core/intents.ts';
import type { NodeReport, NodeView, Problem } from '../../agent/core/model.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { move } from '../../agent/verbs/move.ts';
import { heard, view as decisionView } from '../core/builders.ts';
import { address, NOW, report } from '../reports.ts';
import { FakeClock } from '../fake-clock.ts';
import { memberOf, pairOf } from '../scripted.ts';

const A = 'haproxy01';
const B = 'haproxy02';
const HEADER = {
  requestId: 'r',
  actor: 'anna',
  reason: '',
  acceptRisks: [],
  dryRun: false,
  timeoutMs: null,
  seen: null,
};
const ACT: MoveAct = {
  header: HEADER,
  addresses: [],
  to: null,
  toggle: false,
  unpin: false,
  untilMs: null,
};

/** A pair in which an address is where it is pinned to the moment that is stored, else where it was. */
function desk({
  home = {},
  other = {},
  vips = ['10.1.60.200'],
}: {
  readonly home?: Partial<NodeReport>;
  readonly other?: Partial<NodeReport>;
  readonly vips?: readonly string[];
} = {}): {
  readonly lines: readonly string[];
  readonly say: (act?: Partial<MoveAct>) => Promise<unknown>;
  readonly pin: () => unknown;
} {
  let intents: Intents = new Map();
  let at = A;
  const clock = new FakeClock({ wallMs: NOW });
  const pinned = () => wish(intents, pinKey('1@wan'), clock.wallMs());
  const on = (node: string, baseAdvskew: number): NodeView =>
    heard(
      report(node, {
        ...(node === A ? home : other),
        addresses: [address({ baseAdvskew, state: at === node ? 'MASTER' : 'BACKUP', vips })],
      }),
    );
  const member = (node: string) =>
    memberOf(node, {
      storeIntents: (list) => {
        intents = mergeIntents(intents, list, clock.wallMs()).intents;
        at = pinned()?.value ?? at;
        return Promise.resolve({ newer: [] });
      },
    });
  const pair = pairOf([member(A), member(B)], {
    clock,
    intents: () => intents,
    view: () => nodes(),
  });
  const nodes = (): NodeView[] => [on(A, 0), on(B, 100)];
  const lines: string[] = [];
  return {
    lines,
    say: async (act = {}) => {
      const done = await move(
        pair,
        { ...ACT, ...act },
        ({ step, text }) => lines.push(`${step}: ${text}`),
        () => decisionView(B, nodes(), { intents }),
      );
      const [row] = done.addresses;
      return [done.outcome, done.changed, row?.outcome, row?.from, row?.to];
    },
    pin: () => {
      const pin = pinned();
      return pin === null ? null : [pin.value, pin.untilWallMs];
    },
  };
}

test('failover said twice is already: a step that is tried again never undoes itself', async (t) => {
  const { say, pin } = desk();
  t.deepEqual(await say(), ['reached', true, 'moved', A, B]);
  t.deepEqual(await say(), ['reached', false, 'already', B, B]);
  t.deepEqual(await say({ header: { ...HEADER, dryRun: true } }), [
    'reached',
    false,
    'already',
    B,
    B,
  ]);
  t.deepEqual(pin(), [B, null]);
  t.deepEqual(await say({ toggle: true }), ['reached', true, 'moved', B, A]);
  t.deepEqual(await say({ to: B }), ['reached', true, 'moved', A, B]);
});

test('failover with another end keeps the address and stores the end', async (t) => {
  const { say, pin } = desk();
  await say();
  t.deepEqual(await say({ untilMs: 60_000 }), ['reached', true, 'already', B, B]);
  t.deepEqual(pin(), [B, NOW + 60_000]);
});

test('failback of a pinned address that is at home: the dry run says that a pin would go', async (t) => {
  const { say, pin } = desk();
  await say({ to: A });
  const dryRun = { ...HEADER, dryRun: true };
  t.deepEqual(await say({ unpin: true, header: dryRun }), [
    'would-change',
    false,
    'would-unpin',
    A,
    A,
  ]);
  t.deepEqual(await say({ unpin: true }), ['reached', true, 'unpinned', A, A]);
  t.deepEqual(await say({ unpin: true, header: dryRun }), ['reached', false, 'already', A, A]);
  t.is(pin(), null);
});

test('failback moves by a pin that is called a failback, and takes it back', async (t) => {
  const { say, pin } = desk();
  await say();
  t.deepEqual(await say({ unpin: true }), ['reached', true, 'moved', B, A]);
  t.is(pin(), null);
});

test('failback to where it would not stay is refused, whatever is accepted: its pin ends with it', async (t) => {
  const { say, pin } = desk({
    home: {
      health: 'degraded',
      healthReason: 'backend GITEA is down here and up on a peer',
      healthSinceMs: 0,
    },
  });
  await say();
  const header = { ...HEADER, acceptRisks: ['peer-unhealthy'] as const };
  const refused = await t.throwsAsync(say({ unpin: true, header }), { instanceOf: ActFailure });
  t.deepEqual(
    [refused.outcome, refused.detail, pin()],
    [
      'unsafe',
      {
        code: 'would_not_stay',
        message: 'not moved: 1@wan would not stay on haproxy01',
        cause: 'haproxy01 is degraded: backend GITEA is down here and up on a peer',
        remediation:
          'mend that first, or keep it there all the same: proxyctl failover --vhid 1@wan --to haproxy01',
        retryable: true,
      },
      [B, null],
    ],
  );
  t.deepEqual(await say({ to: A }), ['reached', true, 'moved', B, A]);
});

test('the last line says of IPv6 what no node can see, and who could not tell neighbours', async (t) => {
  const said = async (vips: readonly string[], problems: readonly Problem[]): Promise<string> => {
    const { say, lines } = desk({ vips, other: { problems } });
    await say();
    return lines.at(-1) ?? '';
  };
  const told = 'confirmed: read again on both nodes';
  const problem = { subject: 'neighbours', cause: 'c', remedy: 'r', sinceMs: NOW };
  t.is(await said(['10.1.60.200'], [problem]), told);
  const both = ['10.1.60.200', 'fd00:60::200'];
  t.is(await said(both, []), `${told}; IPv6 neighbours are told, which no node can see follow`);
  t.is(
    await said(both, [problem]),
    `${told}; ${B} could not tell IPv6 neighbours, which may stay on the old host`,
  );
});
