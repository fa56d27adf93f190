import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { proxyctl, ran, startProbe } from '../lab/client.ts';
import { inside } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import {
  advskews,
  asked,
  eventually,
  fault,
  masters,
  nodeAt,
  scene,
  seenBy,
  within,
} from '../pair/scene.ts';

const GAP_MS = 300;
/** Where the strangers are: an address of the client's network where no operator comes from. */
const FROM = '10.1.60.77';
const ADD =
  'ip -o -4 addr show | grep -q "$0/" || ' +
  'ip addr add "$0/24" dev "$(ip -o -4 addr show | sed -n "s|^[0-9]*: \\([^ ]*\\) .* 10.1.60.1/.*|\\1|p" | head -1)"';
// HAProxy dies more often here than the budget of moves allows in ten minutes.
const { test, lab } = scene({ maxMoves: 100 });

/** Strangers and a viewer at both agents, from the client's host; ends with `end`. */
async function attacked(): Promise<{ end(): Promise<void> }> {
  const { code, stderr } = await ran(inside(lab(), 'client', ['sh', '-c', ADD, FROM]));
  if (code !== 0) throw new Error(stderr);
  const script = join(CHECKOUT, 'dist/test/lab/attack.js');
  const hosts = lab().nodes.map(({ address4 }) => address4);
  const [file = '', ...argv] = inside(lab(), 'client', [
    process.execPath,
    script,
    lab().runtime,
    FROM,
    ...hosts,
  ]);
  const child = spawn(file, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return {
    async end() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** An operator over TLS, from the same host as the attack. */
const byOperator = async (...args: readonly string[]): Promise<number> =>
  (await proxyctl(lab(), args, 'client')).code;

test('under attack of two strangers and a viewer HAProxy dies on the MASTER: the address moves all the same', async (t) => {
  const [first, second] = [nodeAt(lab(), 0), nodeAt(lab(), 1)];
  const attack = await attacked();
  try {
    for (let round = 1; round <= 3; round++) {
      const probe = await startProbe(lab());
      await fault(lab(), 'kill-haproxy', 'on', first);
      await probe.answeredBy(second.name, 50);
      const seen = await probe.end();
      t.log(`death ${round}: gap ${seen.longest_gap_ms} ms, ${seen.failed} failed`);
      t.true(seen.longest_gap_ms < GAP_MS, seenBy(seen));
      t.true(seen.failed <= within(GAP_MS, 1), seenBy(seen));
      await fault(lab(), 'kill-haproxy', 'off', first);
      await eventually('it is home', async () => (await masters(lab())).join() === first.name);
    }
  } finally {
    await attack.end();
  }
});

test('under the same attack an operator looks, drains and moves, and nobody else is kept out', async (t) => {
  await eventually('all is as at first', async () => (await advskews(lab())).join() === '0,100');
  const attack = await attacked();
  try {
    t.is(await byOperator('status'), 0);
    t.is(await byOperator('drain', 'WEB/web1'), 0);
    t.is(await byOperator('ready', 'WEB/web1'), 0);
    t.is(await byOperator('failover'), 0);
    t.deepEqual(await masters(lab()), [nodeAt(lab(), 1).name]);
    t.is(await byOperator('failback'), 0);
    t.deepEqual(await masters(lab()), [nodeAt(lab(), 0).name]);
    const { code, json } = await asked(lab(), 'status', '--context', 'haproxy01');
    const nodes = (json.result?.['nodes'] ?? []) as readonly { readonly class: string }[];
    t.deepEqual([code, nodes.map((node) => node.class)], [0, ['alive', 'alive']]);
  } finally {
    await attack.end();
  }
  t.deepEqual(await advskews(lab()), [0, 100]);
});
