import test from 'ava';
import { explain } from '../../agent/verbs/explain.ts';
import { heard, view } from '../core/builders.ts';
import { FakeClock } from '../fake-clock.ts';
import { address, report } from '../reports.ts';
import { memberOf, pairOf } from '../scripted.ts';

test('many addresses are explained in pieces, and others have their turns between', async (t) => {
  const addresses = Array.from({ length: 64 }, (_, at) =>
    address({ address: `${at + 1}@wan`, vhid: at + 1, reason: `reason ${at + 1}` }),
  );
  const nodes = ['haproxy01', 'haproxy02'].map((node) => heard(report(node, { addresses })));
  const members = ['haproxy01', 'haproxy02'].map((node) => memberOf(node));
  const pair = pairOf(members, { clock: new FakeClock(), view: () => nodes });
  let turns = 0;
  let over = false;
  const count = (): void => {
    turns += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  const answer = await explain(pair, view('haproxy01', nodes), []);
  over = true;
  t.deepEqual(
    [answer.addresses.map(({ reason }) => reason).sort(), turns >= 2],
    [addresses.map(({ reason }) => reason).sort(), true],
  );
  t.deepEqual(await explain(pair, null, []), { node: 'haproxy01', paused: false, addresses: [] });
});
