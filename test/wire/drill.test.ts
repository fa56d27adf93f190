import test from 'ava';
import { DRILL_KINDS, LONGEST_DRILL_MS } from '../../agent/core/drill.ts';
import type { DrillAct, DrillSeenAct } from '../../agent/core/drill.ts';
import {
  drillFromWire,
  drillSeenFromWire,
  drillSeenToWire,
  drillToWire,
} from '../../agent/wire/drill.ts';
import { resultFromWire, resultToWire } from '../../agent/wire/results.ts';
import { proxyctl } from '../../proto/gen/messages.js';
import { emptyResult } from '../rpc/world.ts';
import { ACT as FAILOVER } from '../verbs/drill-desk.ts';

const { DrillRequest, DrillSeenRequest, Result } = proxyctl.v1;
const ACT: DrillAct = { ...FAILOVER, kind: 'haproxy', node: 'haproxy01', means: 'health' };
const { header } = ACT;
const sent = (act: DrillAct): DrillAct =>
  drillFromWire(DrillRequest.decode(DrillRequest.encode(drillToWire(act)).finish()));

test('what is asked of a drill arrives as it was asked, of every kind', (t) => {
  for (const kind of DRILL_KINDS)
    for (const more of [{}, { node: null, means: null, stayMs: 0 }])
      t.deepEqual(sent({ ...ACT, kind, ...more }), { ...ACT, kind, ...more });
});

test('what clients saw arrives in whole milliseconds', (t) => {
  const seen: DrillSeenAct = {
    header,
    drill: 'r',
    stop: true,
    why: 'dark',
    sent: 240,
    lost: 3,
    darkMs: 41.6,
  };
  const wire = DrillSeenRequest.encode(drillSeenToWire(seen)).finish();
  t.deepEqual(drillSeenFromWire(DrillSeenRequest.decode(wire)), { ...seen, darkMs: 42 });
});

test('a plan arrives with its result, and means of a newer agent are none', (t) => {
  const drill = { node: 'haproxy01', means: 'frontends' as const, probes: ['10.1.60.200:443'] };
  const through = (change: object) =>
    resultFromWire(
      Result.decode(
        Result.encode({
          ...resultToWire({ ...emptyResult, drill }, 0),
          drill: { ...drill, ...change },
        }).finish(),
      ),
      0,
    ).drill;
  t.deepEqual(through({}), drill);
  t.deepEqual(through({ means: 'axe' }), { ...drill, means: null });
  t.false(
    'drill' in
      resultFromWire(Result.decode(Result.encode(resultToWire(emptyResult, 0)).finish()), 0),
  );
});

test('a drill is not guessed: an unknown kind, means or time is refused', (t) => {
  const wire = drillToWire(ACT);
  for (const change of [
    { kind: 'fire' },
    { kind: '' },
    { means: 'axe' },
    { stayMs: LONGEST_DRILL_MS + 1 },
    { maxOutageMs: 0 },
    { node: 'a\nb' },
  ])
    t.throws(
      () =>
        drillFromWire(DrillRequest.decode(DrillRequest.encode({ ...wire, ...change }).finish())),
      { name: 'WireError' },
      JSON.stringify(change),
    );
});
