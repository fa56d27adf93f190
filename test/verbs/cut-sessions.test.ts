import test from 'ava';
import type { HaproxyReport, NodeView } from '../../agent/core/model.ts';
import { cutText, sessionsOn } from '../../agent/verbs/cut-sessions.ts';
import { heard } from '../core/builders.ts';
import { haproxy, report } from '../reports.ts';

const OLDER = { processes: 0, sessions: 0, uncounted: 0, problem: '' };
const pairOf = (change: Partial<HaproxyReport>, more: Partial<NodeView> = {}) => ({
  view: () => [heard(report('a', { haproxy: [haproxy(change)] }), more)],
});

test('a move says how many sessions it cuts, those of older processes too', (t) => {
  const pair = pairOf({ sessions: 12, older: { ...OLDER, processes: 1, sessions: 2 } });
  t.is(sessionsOn(pair, 'a'), 14);
  t.is(cutText(pair, ['a', 'a']), 'cuts up to 14 sessions of a');
  t.is(cutText(pairOf({ sessions: 1 }), ['a']), 'cuts up to 1 session of a');
});

test('what cannot be counted is said', (t) => {
  const pair = pairOf({ sessions: 3, older: { ...OLDER, processes: 1, uncounted: 1 } });
  t.is(
    cutText(pair, ['a']),
    'cuts up to 3 sessions of a, and what older HAProxy processes there serve',
  );
  const unknown = 'cuts the sessions of a; how many is not known';
  t.is(cutText(pairOf({ state: 'unknown' }), ['a']), unknown);
  t.is(cutText(pairOf({}, { fresh: false }), ['a']), unknown);
  t.is(cutText(pair, ['']), '');
});
