import { readFileSync } from 'node:fs';
import { newSite, sha1Of } from '../lab/certificates.ts';
import { labAgent } from '../lab/lab.ts';
import type { LabReport } from '../lab/report.ts';
import {
  adminState,
  advskews,
  asAtFirst,
  asked,
  calm,
  eventually,
  exitOf,
  fault,
  logOf,
  masters,
  nodeAt,
  nodeNow,
  scene,
} from './scene.ts';
import { everywhere, filed, leftovers } from './swaps.ts';

// In the middle of a rolling upgrade: an earlier build's agent and today's are a pair.
const OLDER = '747ce70';
const NODES = ['haproxy01', 'haproxy02'] as const;
/** As `show servers state` has it. */
const READY = 0;
const DRAIN = 8;

/** What a node's agent says of both nodes. */
async function said(lab: LabReport, by: string): Promise<string[]> {
  const { json } = await asked(lab, 'status', '--context', by);
  const { nodes = [] } = (json.result ?? {}) as {
    nodes?: readonly { readonly node: string; readonly class: string; readonly health: string }[];
  };
  return nodes.map(({ node, class: word, health }) => `${node} ${word} ${health}`).sort();
}

for (const [at, older] of NODES.entries()) {
  const { test, lab } = scene({ agents: { [older]: { older: OLDER } } });
  const both = `${OLDER} on ${older}`;
  const onBoth = (target: string): Promise<number[]> =>
    Promise.all(lab().nodes.map((node) => adminState(node, target)));

  test(`${both}: it is that program, and both agents say that both are alive and serve`, async (t) => {
    const program = readFileSync(`/proc/${nodeAt(lab(), at).agent_pid}/cmdline`, 'utf8');
    t.regex(program, /\/program\/proxyagent\.mjs\0/);
    const other = readFileSync(`/proc/${nodeAt(lab(), 1 - at).agent_pid}/cmdline`, 'utf8');
    t.regex(other, /\/dist\/agent\/main\.js\0/);
    await calm(lab());
    for (const by of NODES)
      await eventually(`both are alive and serve for ${by}`, async () => {
        const words = await said(lab(), by);
        return words.join() === 'haproxy01 alive serving,haproxy02 alive serving';
      });
  });

  test(`${both}: who did what is shown of the other one, and the older is said to be missing`, async (t) => {
    const newer = NODES[1 - at] ?? '';
    const { code, json } = await asked(lab(), 'audit', '--context', newer);
    t.is(code, 6);
    t.like(
      json.nodes.find(({ node }) => node === older),
      { ok: false, error: { code: 'audit_unknown' } },
    );
    t.is((json.result?.['entries'] as readonly { node: string }[] | undefined)?.[0]?.node, newer);
    const { code: alone, json: said } = await asked(lab(), 'audit', '--context', older);
    t.deepEqual([alone, said.error?.code], [1, 'unsupported']);
  });

  for (const by of NODES)
    test(`${both}: a move there and back asked at ${by}`, async (t) => {
      const moves: unknown[] = [];
      for (const to of ['haproxy02', 'haproxy01']) {
        const { code } = await asked(lab(), 'failover', '--to', to, '--context', by);
        moves.push([code, await masters(lab()), await advskews(lab())]);
      }
      t.deepEqual(moves, [
        [0, ['haproxy02'], [254, 100]],
        [0, ['haproxy01'], [0, 100]],
      ]);
      await asAtFirst(lab());
    });

  for (const by of NODES)
    test(`${both}: a drain and a ready asked at ${by} are in force on both`, async (t) => {
      const states: number[][] = [];
      for (const verb of ['drain', 'ready']) {
        const { code, json } = await asked(lab(), verb, 'WEB/web1', '--context', by);
        t.like({ code, json }, { code: 0, json: { ok: true, changed: true } }, verb);
        states.push(await onBoth('WEB/web1'));
      }
      t.deepEqual(states, [
        [DRAIN, DRAIN],
        [READY, READY],
      ]);
    });

  for (const by of NODES)
    test(`${both}: a certificate pushed at ${by} is in force on both`, async (t) => {
      const pem = await newSite(90);
      const args = ['cert', 'push', filed(lab(), pem), '--context', by] as const;
      const first = await asked(lab(), ...args);
      t.like(first, { code: 0, json: { ok: true, changed: true } });
      const sha1 = sha1Of(pem);
      const everywhereNew = NODES.map(() => ({ served: sha1, memory: sha1, disk: sha1 }));
      t.deepEqual(await everywhere(lab()), everywhereNew);
      t.deepEqual(await leftovers(lab()), []);
      t.like(await asked(lab(), ...args), { code: 0, json: { ok: true, changed: false } });
    });

  test(`${both}: HAProxy dies on the holder, the other is MASTER until it is back`, async (t) => {
    const isMaster = (node: string) => async (): Promise<boolean> =>
      (await masters(lab())).join() === node;
    await fault(lab(), 'kill-haproxy', 'on', nodeAt(lab(), 0));
    await eventually('haproxy02 alone is MASTER', isMaster('haproxy02'));
    await fault(lab(), 'kill-haproxy', 'off', nodeAt(lab(), 0));
    await eventually('haproxy01 alone is MASTER', isMaster('haproxy01'));
    await asAtFirst(lab());
    t.deepEqual(await advskews(lab()), [0, 100]);
  });

  test(`${both}: neither refused a word of the other`, (t) => {
    const refused = lab()
      .nodes.flatMap(logOf)
      .filter(({ id, event }) => id === 'refused-client' || event === 'internal-error');
    t.deepEqual(refused, []);
  });

  test(`${both}: replaced by today's, the pin and the drain stay`, async (t) => {
    t.is(await exitOf(lab(), 'failover', '--reason', 'upgrade'), 0);
    t.is(await exitOf(lab(), 'drain', 'WEB/web1'), 0);
    await labAgent(lab(), older, null);
    await calm(lab());
    t.deepEqual(await masters(lab()), ['haproxy02']);
    t.is((await nodeNow(lab(), at)).agent, null);
    const { json } = await asked(lab(), 'status', '--context', older);
    t.like(json, {
      result: {
        drained: [{ backend: 'WEB', server: 'web1', state: 'drain' }],
        addresses: [{ pin: { reason: 'upgrade' } }],
      },
    });
    t.deepEqual(await advskews(lab()), [254, 100]);
    t.deepEqual(await onBoth('WEB/web1'), [DRAIN, DRAIN]);
    t.is(await exitOf(lab(), 'ready', 'WEB/web1'), 0);
    await asAtFirst(lab());
  });
}
