import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ran, startProbe } from '../lab/client.ts';
import { labOrder } from '../lab/lab.ts';
import {
  asAtFirst,
  asked,
  calm,
  eventually,
  fault,
  masters,
  nodeAt,
  runtime,
  scene,
  seenBy,
} from './scene.ts';

/** What a handshake, or a take without one, costs a client at most. */
const MOVED_MS = 200;
/** Where nobody hears the holder CARP's own timer ends it: 3 s and 100/256, a reading and a switch. */
const KERNEL_MS = 4200;

const { test, lab } = scene({ maxMoves: 100 });

const demoted = (by: number): Promise<unknown> =>
  ran([join(nodeAt(lab(), 1).tools, 'sysctl'), `net.inet.carp.demotion=${by}`]);

const alertIds = async (): Promise<readonly string[]> => {
  const { json } = await asked(lab(), 'status');
  return ((json.result?.['alerts'] ?? []) as unknown as { id: string }[]).map(({ id }) => id);
};

/** The MASTER's HAProxy is killed with `wrong` going on: the client's longest gap until the other answers. */
async function gapWith(wrong: (on: boolean) => Promise<unknown>, alert: string) {
  await wrong(true);
  await eventually(`${alert} is told`, async () => (await alertIds()).includes(alert));
  const probe = await startProbe(lab());
  await fault(lab(), 'kill-haproxy', 'on', nodeAt(lab(), 0));
  await probe.answeredBy(nodeAt(lab(), 1).name, 50);
  const seen = await probe.end();
  const holder = await masters(lab());
  await wrong(false);
  await fault(lab(), 'kill-haproxy', 'off', nodeAt(lab(), 0));
  await asAtFirst(lab());
  await calm(lab());
  return { gapMs: seen.longest_gap_ms, holder, seen: seenBy(seen) };
}

test('a demotion left behind on the taker: a dead HAProxy gives it the address by the handshake', async (t) => {
  const { gapMs, holder, seen } = await gapWith(
    (on) => demoted(on ? 240 : -240),
    'redundancy-lost',
  );
  t.log(`gap ${gapMs} ms`);
  t.deepEqual(holder, ['haproxy02']);
  t.true(gapMs < MOVED_MS, seen);
});

/** A frontend beside those that clients use, on both hosts. */
async function withSideFrontend(): Promise<void> {
  for (const { name, haproxy_config: path } of lab().nodes) {
    const text = readFileSync(path, 'utf8');
    const side = 'frontend SIDE\n    bind 127.0.0.1:8405\n    default_backend WEB\n';
    writeFileSync(path, text.replace('\nbackend ACME', `\n${side}\nbackend ACME`));
    await labOrder(lab().name, { op: 'reload', node: name });
  }
  const isThere = async (at: number) =>
    (await runtime(nodeAt(lab(), at), 'show stat -1 1 -1')).includes('SIDE');
  await eventually('SIDE is there', async () => (await isThere(0)) && isThere(1));
}

test('a required frontend that is closed on both: a dead HAProxy is worse', async (t) => {
  await withSideFrontend();
  /** First where it moves nothing. */
  async function close(): Promise<void> {
    for (const at of [1, 0]) {
      await runtime(nodeAt(lab(), at), 'disable frontend SIDE');
      await eventually('partly is told', async () => {
        const ids = await alertIds();
        return ids.filter((id) => id === 'partly').length === 2 - at;
      });
    }
  }
  const { gapMs, holder, seen } = await gapWith(
    (on) => (on ? close() : runtime(nodeAt(lab(), 1), 'enable frontend SIDE')),
    'partly',
  );
  t.log(`gap ${gapMs} ms`);
  t.deepEqual(holder, ['haproxy02']);
  t.true(gapMs < MOVED_MS, seen);
});

test('the holder does not hear the taker: it is taken without a grant', async (t) => {
  const { gapMs, holder, seen } = await gapWith(
    (on) => fault(lab(), 'grpc-out', on ? 'on' : 'off', nodeAt(lab(), 1)),
    'one-way',
  );
  t.log(`gap ${gapMs} ms`);
  t.deepEqual(holder, ['haproxy02']);
  t.true(gapMs < MOVED_MS, seen);
});

test('port 7660 closed both ways: the holder steps out at once, CARP of the other takes it', async (t) => {
  const { gapMs, holder, seen } = await gapWith(
    (on) => fault(lab(), 'grpc', on ? 'on' : 'off', nodeAt(lab(), 1)),
    'not-heard',
  );
  t.log(`gap ${gapMs} ms`);
  t.deepEqual(holder, ['haproxy02']);
  t.true(gapMs < KERNEL_MS, seen);
});
