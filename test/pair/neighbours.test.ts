import { run } from '../lab/topology.ts';
import { proxyctl, startProbe } from '../lab/client.ts';
import { inside } from '../lab/lab.ts';
import type { LabReport } from '../lab/report.ts';
import { asAtFirst, asked, calm, eventually, exitOf, fault, nodeAt, scene } from './scene.ts';

// The client behind whose port nobody tells it anything but by the wire, as a router.
const VIRTUAL = '00:00:5e:00:01:01';
const SECOND_MS = 1000;

const { test, lab } = scene();
const without = scene({ icmp: 'ping' });

/** The MAC that the client has for the VIP; empty where it has none. */
function macOfVip(of = lab()): string {
  const [file = '', ...args] = inside(of, 'client', ['ip', '-6', 'neigh', 'show', of.vip6]);
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

/** ngctl fails, and both agents have tried it: without this they find out within a minute. */
async function withoutNetgraph(of: LabReport, state: 'on' | 'off'): Promise<void> {
  for (const node of of.nodes) await fault(of, 'no-netgraph', state, node);
  for (const node of of.nodes) await fault(of, 'kill-agent', 'on', node);
  for (const node of of.nodes) await fault(of, 'kill-agent', 'off', node);
}

test('where ngctl does not work the raw socket tells neighbours, and no alert says otherwise', async (t) => {
  const second = nodeAt(lab(), 1).name;
  await withoutNetgraph(lab(), 'on');
  await asAtFirst(lab());
  const probe = await startProbe(lab(), 'plain', 6);
  await fault(lab(), 'nd-poisoned', 'on');
  // The lab asks as ngctl does.
  await eventually('the client has the physical MAC of the MASTER', () => physical(macOfVip()));
  const { code, stderr } = await proxyctl(lab(), ['failover', '--to', second]);
  t.is(code, 0);
  t.notRegex(stderr, /could not tell/);
  await probe.answeredBy(second, 20);
  t.is(macOfVip(), VIRTUAL);
  await probe.end();
  const { json } = await asked(lab(), 'status');
  t.notRegex(JSON.stringify(json), /no IPv6 neighbour hears/);
  await fault(lab(), 'nd-poisoned', 'off');
  await withoutNetgraph(lab(), 'off');
  await asAtFirst(lab());
});

without.test('where neither works, status says so, and clients stay on the old host', async (t) => {
  const [first, second] = [nodeAt(without.lab(), 0).name, nodeAt(without.lab(), 1).name];
  await withoutNetgraph(without.lab(), 'on');
  await eventually('both agents tell of it', async () => {
    const { json } = await asked(without.lab(), 'status');
    return JSON.stringify(json).split("can't create node: Protocol not supported").length > 2;
  });
  const probe = await startProbe(without.lab(), 'plain', 6);
  await fault(without.lab(), 'nd-poisoned', 'on');
  await eventually('the client has the physical MAC of the MASTER', () =>
    physical(macOfVip(without.lab())),
  );
  const { code, stderr } = await proxyctl(without.lab(), ['failover', '--to', second]);
  t.is(code, 0);
  t.regex(
    stderr.replaceAll(/\s+/g, ' '),
    /could not tell IPv6 neighbours, which may stay on the old/,
  );
  await probe.more(200);
  await probe.answeredBy(first, 20);
  t.true(physical(macOfVip(without.lab())));
  for (const node of without.lab().nodes) await fault(without.lab(), 'no-netgraph', 'off', node);
  await probe.answeredBy(second, 20);
  await probe.end();
  await fault(without.lab(), 'nd-poisoned', 'off');
  await asAtFirst(without.lab());
  await calm(without.lab());
});
