import { existsSync } from 'node:fs';
import { join } from 'node:path';
import ava from 'ava';
import { proxyctl, startProbe } from '../lab/client.ts';
import { inside } from '../lab/lab.ts';
import { serviceHost, type ServiceHost } from '../service/host.ts';
import {
  advskews,
  asAtFirst,
  calm,
  eventually,
  fault,
  logOf,
  masters,
  nodeAt,
  nodeNow,
  scene,
} from './scene.ts';

/** No client may wait longer at a shutdown. */
const GAP_MS = 100;

const { test, lab } = scene();
let host: ServiceHost | null = null;

/** The preferred node with its agent under rc(8) and daemon(8) instead of the lab's own supervisor. */
async function asService(): Promise<ServiceHost> {
  const node = nodeAt(lab(), 0);
  await fault(lab(), 'kill-agent', 'on', node);
  const within = (argv: readonly string[]): readonly string[] => inside(lab(), node.name, argv);
  host = serviceHost(join(lab().runtime, 'service'), node.agent_config, within);
  const started = await host.service('start');
  if (started.code !== 0) throw new Error(`${started.stdout}${started.stderr}`);
  await asAtFirst(lab());
  return host;
}

ava.serial.afterEach.always("the agents are the lab's again", async () => {
  host?.end();
  await fault(lab(), 'kill-haproxy', 'off');
  await fault(lab(), 'kill-agent', 'off', nodeAt(lab(), 0));
  await asAtFirst(lab());
});

const isRunning = (pid: number | null): boolean => pid !== null && existsSync(`/proc/${pid}`);

test('a shutdown hands the address over, then ends the agent, then HAProxy: no client waits 100 ms', async (t) => {
  const service = await asService();
  const [first, second] = [nodeAt(lab(), 0), nodeAt(lab(), 1)];
  const agent = service.pid('proxyagent.child.pid');
  const probe = await startProbe(lab());
  await probe.answeredBy(first.name, 20);
  const startMs = performance.now();
  const stop = await service.shutdown();
  const tookMs = Math.round(performance.now() - startMs);
  // The moment rc.shutdown goes on to HAProxy.
  const then = {
    masters: await masters(lab()),
    agent: isRunning(agent),
    haproxy: isRunning((await nodeNow(lab(), 0)).haproxy_pid),
  };
  await fault(lab(), 'kill-haproxy', 'on', first);
  await probe.answeredBy(second.name, 50);
  const seen = await probe.end();
  t.log(`stop took ${tookMs} ms; longest gap ${seen.longest_gap_ms} ms, failed ${seen.failed}`);
  t.is(stop.code, 0, stop.stderr);
  t.regex(stop.stdout, /Handing over the addresses, stopping proxyagent\./);
  t.deepEqual(then, { masters: [second.name], agent: false, haproxy: true });
  t.true(seen.longest_gap_ms < GAP_MS, `longest gap ${seen.longest_gap_ms} ms`);
  t.true(tookMs < 10_000, `${tookMs} ms`);
  const left = logOf(first).findLast(({ event }) => event === 'agent-left');
  t.like(left, { addresses: ['1@vtnet0'], still_here: [], msg: 'left: 1@vtnet0' });
  t.deepEqual(await advskews(lab()), [254, 100]);
});

test('stop and restart by hand move nothing, and clients notice nothing', async (t) => {
  const service = await asService();
  const [first] = [nodeAt(lab(), 0)];
  const probe = await startProbe(lab());
  const before = service.pid('proxyagent.child.pid');
  const restarted = await service.service('restart');
  const after = service.pid('proxyagent.child.pid');
  await calm(lab());
  const stopped = await service.service('stop');
  await probe.more(100);
  const seen = await probe.end();
  t.deepEqual(
    [restarted, stopped].map(({ code }) => code),
    [0, 0],
    `${restarted.stderr}${stopped.stderr}`,
  );
  t.not(after, before);
  t.deepEqual({ ended: [before, after].map(isRunning) }, { ended: [false, false] });
  t.deepEqual(Object.keys(seen.by), [first.name]);
  t.is(seen.failed, 0);
  t.deepEqual(await masters(lab()), [first.name]);
  t.deepEqual(await advskews(lab()), [0, 100]);
});

test('onerelease stops the agent and puts its 254 back; twice is once', async (t) => {
  const service = await asService();
  await proxyctl(lab(), ['failover', '--to', nodeAt(lab(), 1).name]);
  await eventually('it is lowered', async () => (await advskews(lab()))[0] === 254);
  const once = await service.service('onerelease');
  const twice = await service.service('onerelease');
  t.deepEqual(
    [once, twice].map(({ code, stdout }) => ({ code, stdout })),
    [
      {
        code: 0,
        stdout: 'Stopping proxyagent.\nreleased  1@vtnet0: advskew 254 -> 0\n',
      },
      { code: 0, stdout: 'already released: nothing of the agent is in force\n' },
    ],
    once.stderr + twice.stderr,
  );
  t.deepEqual(await advskews(lab()), [0, 100]);
  t.deepEqual(await masters(lab()), [nodeAt(lab(), 1).name]);
});
