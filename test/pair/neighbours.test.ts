import { run } from '../lab/topology.ts';
import { proxyctl, startProbe } from '../lab/client.ts';
import { inside } from '../lab/lab.ts';
import { asAtFirst, asked, calm, eventually, exitOf, fault, nodeAt, scene } from './scene.ts';

// The client behind whose port nobody tells it anything but by the wire, as a router.
const VIRTUAL = '00:00:5e:00:01:01';
const SECOND_MS = 1000;

const { test, lab } = scene();

/** The MAC that the client has for the VIP; empty where it has none. */
function macOfVip(): string {
  const [file = '', ...args] = inside(lab(), 'client', ['ip', '-6', 'neigh', 'show', lab().vip6]);
  return /lladdr (\S+)/.exec(run(file, args))?.[1] ?? '';
}

const physical = (mac: string): boolean => mac !== '' && mac !== VIRTUAL;

test('IPv6 clients behind a router with a poisoned cache follow a move within a second', async (t) => {
  const second = nodeAt(lab(), 1).name;
  const probe = await startProbe(lab(), 'plain', 6);
  await fault(lab(), 'nd-poisoned', 'on');
  await eventually('the client has the physical MAC of the MASTER', () => physical(macOfVip()));
  t.is(await exitOf(lab(), 'failover', '--to', second), 0);
  const movedMs = performance.now();
  await probe.answeredBy(second, 20);
  const ms = Math.round(performance.now() - movedMs);
  t.is(macOfVip(), VIRTUAL);
  const { failed, by } = await probe.end();
  t.log(`the 20th answer in a row of ${second} came ${ms} ms after failover, ${failed} failed`);
  t.true(ms < SECOND_MS, `${ms} ms`);
  t.true((by[second] ?? 0) >= 20);
  await fault(lab(), 'nd-poisoned', 'off');
  await asAtFirst(lab());
});

test('where neighbours cannot be told, status says so, and clients stay on the old host', async (t) => {
  const [first, second] = [nodeAt(lab(), 0).name, nodeAt(lab(), 1).name];
  for (const node of lab().nodes) await fault(lab(), 'no-netgraph', 'on', node);
  // As the agents find out within a minute.
  for (const node of lab().nodes) await fault(lab(), 'kill-agent', 'on', node);
  for (const node of lab().nodes) await fault(lab(), 'kill-agent', 'off', node);
  await eventually('both agents tell of it', async () => {
    const { json } = await asked(lab(), 'status');
    return JSON.stringify(json).split("can't create node: Protocol not supported").length > 2;
  });
  const probe = await startProbe(lab(), 'plain', 6);
  await fault(lab(), 'nd-poisoned', 'on');
  await eventually('the client has the physical MAC of the MASTER', () => physical(macOfVip()));
  const { code, stderr } = await proxyctl(lab(), ['failover', '--to', second]);
  t.is(code, 0);
  t.regex(
    stderr.replaceAll(/\s+/g, ' '),
    /could not tell IPv6 neighbours, which may stay on the old/,
  );
  await probe.more(200);
  await probe.answeredBy(first, 20);
  t.true(physical(macOfVip()));
  for (const node of lab().nodes) await fault(lab(), 'no-netgraph', 'off', node);
  await probe.answeredBy(second, 20);
  await probe.end();
  await fault(lab(), 'nd-poisoned', 'off');
  await asAtFirst(lab());
  await calm(lab());
});
