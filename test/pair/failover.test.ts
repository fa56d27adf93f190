import { userInfo } from 'node:os';
import { proxyctl, ran, startProbe } from '../lab/client.ts';
import { inside } from '../lab/lab.ts';
import type { LabReport } from '../lab/report.ts';
import {
  advskews,
  asAtFirst,
  asked,
  exitOf,
  masters,
  nodeAt,
  scene,
  seenBy,
  within,
} from './scene.ts';

const ROUNDS = 10;
const GAP_MS = 200;

/** Exits 9 when the agent hangs up on a client without a certificate; is killed when it does not. */
const WITHOUT_CERTIFICATE = `
const to = { host: process.argv[1], port: 7660, rejectUnauthorized: false, ALPNProtocols: ['h2'] };
const socket = require('tls').connect(to);
socket.resume().on('error', () => {}).on('close', () => process.exit(9));`;

const { test, lab } = scene();
const again = scene({ preempt: true });

/** Half a second of answers on both VIPs: what a lab that is just up makes a client wait for is no move's. */
async function settled(on: LabReport, node: string): Promise<void> {
  const probes = [await startProbe(on, 'plain', 4), await startProbe(on, 'plain', 6)];
  await Promise.all(probes.map((probe) => probe.answeredBy(node, 100)));
  await Promise.all(probes.map((probe) => probe.end()));
}

/** Moves to and fro with a client on both VIPs; what went wrong, and the longest gaps. */
async function toAndFro(on: LabReport) {
  const [first, second] = [nodeAt(on, 0).name, nodeAt(on, 1).name];
  await settled(on, first);
  const probes = [await startProbe(on, 'plain', 4), await startProbe(on, 'plain', 6)];
  await Promise.all(probes.map((probe) => probe.answeredBy(first, 20)));
  const codes: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const to of [second, first]) {
      codes.push(await exitOf(on, 'failover', '--to', to));
      await Promise.all(probes.map((probe) => probe.answeredBy(to, 20)));
    }
  }
  const seen = await Promise.all(probes.map((probe) => probe.end()));
  return {
    codes: [...new Set(codes)],
    moves: codes.length,
    answered: seen.map(({ by }) => Object.keys(by).sort()),
    gaps: seen.map((one) => one.longest_gap_ms),
    failed: seen.map((one) => one.failed),
    seen: seen.map(seenBy).join('\n'),
  };
}

for (const [preempt, on] of [
  [0, lab],
  [1, again.lab],
] as const) {
  test(`preempt ${preempt}: ten moves there and back, no client waits 200 ms on either VIP`, async (t) => {
    const { codes, moves, answered, gaps, failed, seen } = await toAndFro(on());
    t.log(
      `preempt ${preempt}: ${moves} moves, gaps ${gaps.join(', ')} ms, failed ${failed.join(', ')}`,
    );
    t.deepEqual(codes, [0]);
    t.deepEqual(answered, [
      ['haproxy01', 'haproxy02'],
      ['haproxy01', 'haproxy02'],
    ]);
    t.true(Math.max(...gaps) < GAP_MS, seen);
    t.true(Math.max(...failed) <= within(GAP_MS, moves), seen);
    t.deepEqual(await masters(on()), ['haproxy01']);
    await asAtFirst(on());
  });
}

test('failover twice is once: the second says already and changes nothing', async (t) => {
  const first = await asked(lab(), 'failover');
  const second = await asked(lab(), 'failover', '--to', 'haproxy02');
  const outcomes = [first, second].map(({ code, json }) => ({
    code,
    changed: json.changed,
    addresses: json.result?.['addresses'],
  }));
  t.like(outcomes, [
    { code: 0, changed: true, addresses: [{ address: '1@vtnet0', outcome: 'moved' }] },
    { code: 0, changed: false, addresses: [{ address: '1@vtnet0', outcome: 'already' }] },
  ]);
  t.deepEqual(await masters(lab()), ['haproxy02']);
  t.deepEqual(await advskews(lab()), [254, 100]);
});

test('failback brings the address home and takes the pin back; twice is once', async (t) => {
  await exitOf(lab(), 'failover', '--to', 'haproxy02');
  const first = await asked(lab(), 'failback');
  t.like(first, { code: 0, json: { changed: true } });
  t.deepEqual(await masters(lab()), ['haproxy01']);
  t.deepEqual(await advskews(lab()), [0, 100]);
  const second = await asked(lab(), 'failback');
  t.like(second, { code: 0, json: { changed: false } });
  t.is(await exitOf(lab(), 'status', '--check'), 0);
});

test('a dry run says what would move, exits 3 and moves nothing', async (t) => {
  const { code, json } = await asked(lab(), 'failover', '--dry-run');
  t.is(code, 3);
  t.like(json, {
    ok: true,
    changed: false,
    result: { addresses: [{ from: 'haproxy01', to: 'haproxy02', outcome: 'would-move' }] },
  });
  t.deepEqual(await masters(lab()), ['haproxy01']);
  t.deepEqual(await advskews(lab()), [0, 100]);
  const status = await asked(lab(), 'status');
  t.like(status.json, { result: { addresses: [{ pin: null }] } });
});

test('a node or an address that does not exist is exit 8', async (t) => {
  t.is(await exitOf(lab(), 'failover', '--to', 'haproxy09'), 8);
  t.is(await exitOf(lab(), 'failover', '--vhid', '7'), 8);
  t.is(await exitOf(lab(), 'failover', '--vhid', '1@lan'), 8);
  t.deepEqual(await masters(lab()), ['haproxy01']);
});

test('over mutual TLS from the client: the same verbs, and nothing without a certificate', async (t) => {
  const there = await proxyctl(lab(), ['failover', '--to', 'haproxy02'], 'client');
  t.is(there.code, 0, there.stderr);
  t.deepEqual(await masters(lab()), ['haproxy02']);
  const back = await proxyctl(lab(), ['failback'], 'client');
  t.is(back.code, 0, back.stderr);
  const argv = [process.execPath, '-e', WITHOUT_CERTIFICATE, nodeAt(lab(), 0).address4];
  const bare = await ran(inside(lab(), 'client', argv));
  t.is(bare.code, 9);
});

test('history: each move once, by whom it was asked for', async (t) => {
  await asAtFirst(lab());
  const before = (await changes()).length;
  await exitOf(lab(), 'failover', '--reason', 'kernel update');
  await exitOf(lab(), 'failback');
  const [there, back, ...more] = (await changes()).slice(before);
  t.deepEqual(more, []);
  const who = userInfo().username;
  t.deepEqual(
    [there, back].map((one) => ({ ...one, at: typeof one?.at })),
    [
      {
        at: 'string',
        address: '1@vtnet0',
        from: 'haproxy01',
        to: 'haproxy02',
        cause: 'agent',
        reason: `1@vtnet0 moves from haproxy01 to haproxy02: pinned to haproxy02 by ${who}, "kernel update"`,
      },
      {
        at: 'string',
        address: '1@vtnet0',
        from: 'haproxy02',
        to: 'haproxy01',
        cause: 'agent',
        reason: `1@vtnet0 moves from haproxy02 to haproxy01: failback by ${who}`,
      },
    ],
  );
});

interface Change {
  readonly at: string;
  readonly to: string;
}

async function changes(): Promise<readonly Change[]> {
  const { json } = await asked(lab(), 'history', '--limit', '0');
  return (json.result as unknown as { changes: readonly Change[] }).changes;
}
