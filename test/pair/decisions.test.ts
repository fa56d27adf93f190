import { join } from 'node:path';
import { ran, startProbe, type Probe, type Probed } from '../lab/client.ts';
import type { LabNode } from '../lab/report.ts';
import {
  advskews,
  asked,
  calm,
  eventually,
  exitOf,
  fault,
  logOf,
  masters,
  nodeAt,
  scene,
} from './scene.ts';

// Rows of the table of decisions on real HAProxy and real packets. hold is 1 s here.
const { test, lab } = scene();
const first = (): LabNode => nodeAt(lab(), 0);
const second = (): LabNode => nodeAt(lab(), 1);

interface Shown {
  readonly alerts: readonly { readonly id: string; readonly text: string }[];
  readonly nodes: readonly {
    readonly node: string;
    readonly class: string;
    readonly health: string | null;
    readonly agent: { readonly icmp: string } | null;
  }[];
}

async function shown(context?: string): Promise<Shown> {
  const more = context === undefined ? [] : ['--context', context];
  const { json } = await asked(lab(), 'status', ...more);
  return json.result as unknown as Shown;
}

const alertIds = async (context?: string): Promise<string[]> =>
  (await shown(context)).alerts.map(({ id }) => id);

const nothing = (): void => {};

const classOf = (seenBy: LabNode, of: LabNode, kind: string) => async (): Promise<boolean> =>
  (await shown(seenBy.name)).nodes.some((one) => one.node === of.name && one.class === kind);

const heldBy = (node: LabNode) => async (): Promise<boolean> =>
  (await masters(lab())).join() === node.name;

const healthOf = (node: LabNode, health: string) => async (): Promise<boolean> =>
  (await shown()).nodes.some((one) => one.node === node.name && one.health === health);

test('steady: the preferred node has it and nothing is done', async (t) => {
  await calm(lab());
  t.deepEqual(await masters(lab()), ['haproxy01']);
  t.deepEqual(await advskews(lab()), [0, 100]);
});

test('both nodes lose the same backend: nothing moves, an alert says so', async (t) => {
  const probe = await startProbe(lab());
  await fault(lab(), 'backend', 'on');
  try {
    await eventually('the alert', async () => (await alertIds()).includes('backends-down'));
    await probe.more(400);
    t.deepEqual(await masters(lab()), ['haproxy01']);
  } finally {
    await fault(lab(), 'backend', 'off');
  }
  await calm(lab());
  const { failed, by } = await probe.end();
  t.deepEqual({ failed, by: Object.keys(by) }, { failed: 0, by: ['haproxy01'] });
});

test('a backend down only on the MASTER moves the address after hold, and back after hold', async (t) => {
  const probe = await startProbe(lab());
  await fault(lab(), 'backend', 'on', first());
  try {
    await eventually('haproxy01 is degraded', healthOf(first(), 'degraded'));
    await probe.answeredBy('haproxy02', 20);
    t.deepEqual(await masters(lab()), ['haproxy02']);
  } finally {
    await fault(lab(), 'backend', 'off', first());
  }
  await probe.answeredBy('haproxy01', 20);
  const { longest_gap_ms: gapMs, failed } = await probe.end();
  t.log(`gap ${gapMs} ms, ${failed} failed`);
  t.true(gapMs < 200, `${gapMs} ms`);
  await calm(lab());
});

test('flaps use the budget up: then it holds where it is, with an alert; a dead HAProxy still moves', async (t) => {
  const counted = (): number =>
    [first(), second()]
      .flatMap((node) => logOf(node))
      .filter(({ event, to }) => event === 'carp-changed' && to === 'MASTER').length;
  // The test before has used two of the three moves of the window.
  await fault(lab(), 'backend', 'on', first());
  await eventually('the third move', heldBy(second()));
  await fault(lab(), 'backend', 'off', first());
  const afterThird = counted();
  await eventually('the budget alert', async () => (await alertIds()).includes('budget'));
  for (let flap = 0; flap < 4; flap++) {
    await fault(lab(), 'backend', 'on', second());
    await eventually('haproxy02 is degraded', healthOf(second(), 'degraded'));
    await fault(lab(), 'backend', 'off', second());
    await eventually('haproxy02 serves', healthOf(second(), 'serving'));
  }
  t.is(counted(), afterThird, 'nothing moved by itself');
  t.deepEqual(await masters(lab()), ['haproxy02']);
  await fault(lab(), 'kill-haproxy', 'on', second());
  await eventually('a dead HAProxy moves it', heldBy(first()));
  await fault(lab(), 'kill-haproxy', 'off', second());
  await asAtFirst();
  t.deepEqual(await advskews(lab()), [0, 100]);
});

/** calm() would wait for the budget's window: its alert is the only one that may stand. */
async function asAtFirst(): Promise<void> {
  await eventually('everything but the budget is as at first', async () => {
    // With the budget used up only an operator brings it back, and not while adverts are lost.
    if ((await masters(lab())).join() !== first().name) await exitOf(lab(), 'failback');
    const [held, skews, alerts] = [await masters(lab()), await advskews(lab()), await alertIds()];
    const good = alerts.every((id) => id === 'budget');
    return held.join() === first().name && skews.join() === '0,100' && good;
  });
}

/** With a fault on while `body` runs; off again whatever happens. */
async function broken(name: string, on: LabNode | undefined, body: () => Promise<void>) {
  await fault(lab(), name, 'on', on);
  try {
    await body();
  } finally {
    await fault(lab(), name, 'off', on);
  }
}

/** With a client that keeps asking while `body` runs; what it saw. */
async function watched(body: (probe: Probe) => Promise<void>): Promise<Probed> {
  const probe = await startProbe(lab());
  try {
    await body(probe);
  } catch (error) {
    await probe.end();
    throw error;
  }
  return probe.end();
}

test('maintenance: gives the address away, survives the reboot of the host, and is lifted', async (t) => {
  await asAtFirst();
  t.is(await exitOf(lab(), 'maintenance', 'on', first().name, '--reason', 'disk'), 0);
  t.deepEqual(await masters(lab()), ['haproxy02']);
  t.is(await exitOf(lab(), 'maintenance', 'on', first().name), 0, 'said twice');
  t.is(await exitOf(lab(), 'failover', '--to', first().name), 9);
  await broken('kill-agent', first(), () => fault(lab(), 'reboot', 'on', first()).then(nothing));
  await eventually('254 again', async () => (await advskews(lab()))[0] === 254);
  t.deepEqual(await masters(lab()), ['haproxy02']);
  t.is(await exitOf(lab(), 'maintenance', 'off', first().name), 0);
  t.is(await exitOf(lab(), 'maintenance', 'on', 'nobody'), 8);
});

test('pause: a dead HAProxy moves nothing, an operator does', async (t) => {
  await asAtFirst();
  t.is(await exitOf(lab(), 'pause', '--until', '10m'), 0);
  await broken('kill-haproxy', first(), async () => {
    await eventually('haproxy01 is down', healthOf(first(), 'down'));
    t.deepEqual(await masters(lab()), ['haproxy01']);
    t.is(await exitOf(lab(), 'failover', '--to', second().name), 0);
    t.deepEqual(await masters(lab()), ['haproxy02']);
  });
  t.is(await exitOf(lab(), 'resume'), 0);
});

test('adverts lost both ways: one serving MASTER within two seconds, the other fenced, healed by itself', async (t) => {
  await asAtFirst();
  const { failed } = await watched(async (probe) => {
    await broken('carp', second(), async () => {
      await eventually('the split', async () => (await masters(lab())).length === 2);
      const splitAtMs = Date.now();
      await eventually('one MASTER', heldBy(first()));
      const splitMs = Date.now() - splitAtMs;
      t.log(`two MASTERs for ${splitMs} ms`);
      t.true(splitMs < 2000, `${splitMs} ms`);
      await eventually('an alert', async () => (await alertIds()).includes('adverts-lost'));
      t.is(await exitOf(lab(), 'failover', '--to', second().name), 5, 'no planned move meanwhile');
      await probe.more(400);
      t.deepEqual(await masters(lab()), ['haproxy01']);
    });
    await asAtFirst();
  });
  // Short requests are answered by either of two MASTERs; one in flight may meet the change.
  t.true(failed <= 5, `${failed} failed`);
});

test('the keeper loses HAProxy while the other is fenced: the fence lifts and the address moves', async (t) => {
  await asAtFirst();
  await broken('carp', second(), async () => {
    await eventually('the split', async () => (await masters(lab())).length === 2);
    await eventually('one MASTER', heldBy(first()));
    await broken('kill-haproxy', first(), async () => {
      await watched((probe) => probe.answeredBy('haproxy02', 50));
      await eventually('one MASTER again', heldBy(second()));
    });
  });
  await asAtFirst();
  t.pass();
});

test('a frozen agent is frozen, not dead: nothing moves', async (t) => {
  await asAtFirst();
  const { failed, by } = await watched(async (probe) => {
    await broken('freeze-agent', first(), async () => {
      await eventually('its class', classOf(second(), first(), 'frozen'));
      await probe.more(400);
      t.deepEqual(await masters(lab()), ['haproxy01']);
    });
    await asAtFirst();
  });
  t.deepEqual({ failed, by: Object.keys(by) }, { failed: 0, by: ['haproxy01'] });
});

test('gossip cut and CARP fine: nothing moves, and it joins up again', async (t) => {
  await asAtFirst();
  const { failed } = await watched(async (probe) => {
    await broken('grpc', first(), async () => {
      await eventually('the peer is missed', classOf(first(), second(), 'frozen'));
      await probe.more(400);
      t.deepEqual(await masters(lab()), ['haproxy01']);
    });
    await asAtFirst();
  });
  t.is(failed, 0);
});

test('the witness gone: nothing moves', async (t) => {
  await asAtFirst();
  const { failed } = await watched((probe) =>
    broken('witness', undefined, async () => {
      await probe.more(400);
      t.deepEqual(await masters(lab()), ['haproxy01']);
    }),
  );
  t.is(failed, 0);
});

test('a host cut off is replaced early; it lowers itself and yields when it is back', async (t) => {
  const gaps: number[] = [];
  // Where raw-socket could not be built the second path is ping(8).
  const pings = (await shown()).nodes.some(({ agent }) => agent?.icmp === 'ping');
  const limitMs = pings ? 1500 : 400;
  // An agent that was late itself accuses nobody for a second, and then it takes that much longer:
  // on a machine that runs a whole lab this happens, so the best of three is what is measured.
  while (gaps.length < 3 && !gaps.some((ms) => ms < limitMs)) {
    await asAtFirst();
    let gapMs = Infinity;
    try {
      const seen = await watched(async (probe) => {
        await probe.more(300);
        await fault(lab(), 'cut', 'on', first());
        await probe.answeredBy('haproxy02', 50);
      });
      gapMs = seen.longest_gap_ms;
      await eventually('its class', classOf(second(), first(), 'dead'));
      await eventually(
        'the isolated one lowers itself',
        async () => (await advskews(lab()))[0] === 254,
      );
    } finally {
      await fault(lab(), 'cut', 'off', first());
    }
    await eventually('one MASTER', heldBy(second()));
    gaps.push(gapMs);
  }
  t.log(`gaps ${gaps.join(', ')} ms`);
  t.true(Math.min(...gaps) < limitMs, `${gaps.join(', ')} ms`);
  t.true(Math.max(...gaps) < 2000, 'never as long as CARP alone');
});

test('a cable pulled: INIT here and not there, and the address moves', async (t) => {
  await asAtFirst();
  await broken('cable', first(), () =>
    eventually('haproxy02 has it', async () => (await masters(lab())).join() === 'haproxy02'),
  );
  await asAtFirst();
  t.pass();
});

test('advskew 254 set by hand is maintenance: left as it is, until it is undone by hand', async (t) => {
  await asAtFirst();
  const byHand = (advskew: string) =>
    ran([join(first().tools, 'ifconfig'), 'vtnet0', 'vhid', '1', 'advskew', advskew]);
  await byHand('254');
  await eventually('the alert', async () => (await alertIds()).includes('by-hand'));
  await eventually('haproxy02 has it', heldBy(second()));
  t.deepEqual((await advskews(lab()))[0], 254);
  await byHand('0');
  await eventually('no alert', async () => !(await alertIds()).includes('by-hand'));
  await asAtFirst();
});
