import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ava from 'ava';
import { bundleAgent } from '../../packaging/programs.ts';
import { CHECKOUT } from '../lab/plan.ts';
import {
  asAtFirst,
  asked,
  calm,
  eventually,
  fault,
  logOf,
  masters,
  nodeAt,
  scene,
} from './scene.ts';

// In the middle of a rolling upgrade: the agent of haproxy02 is newer and says words of health
// and of how CARP is watched that today's, on haproxy01, does not know.

const { text } = await bundleAgent(CHECKOUT);
const NEW_WORDS = 'health: 9, carpEvents: "moon"';
const patched = text.replace(/\bhealth: enumValue\(asBefore\(health\d*\), HEALTHS\d*\)/, NEW_WORDS);
const folder = mkdtempSync(join(tmpdir(), 'proxyctl-newer-'));
const bundle = join(folder, 'proxyagent.mjs');
writeFileSync(bundle, patched);
cpSync(join(CHECKOUT, 'agent/privilege/helper.sh'), join(folder, 'helper.sh'));

const { test, lab } = scene({ agents: { haproxy02: { bundle } } });
ava.after.always('the newer program is gone', () => rmSync(folder, { recursive: true }));

test('a newer agent with words nobody knows yet is heard, and its health is unknown', async (t) => {
  t.true(patched.includes(NEW_WORDS));
  await eventually('haproxy02 is alive for haproxy01', async () => {
    const { json } = await asked(lab(), 'status', '--context', 'haproxy01');
    const { nodes = [] } = (json.result ?? {}) as {
      nodes?: readonly { readonly node: string; readonly class: string; readonly health: string }[];
    };
    const words = nodes.map(({ node, class: word, health }) => `${node} ${word} ${health}`).sort();
    return words.join() === 'haproxy01 alive serving,haproxy02 alive unknown';
  });
});

test('HAProxy dies on the older holder: the newer one of unknown health takes the address', async (t) => {
  await calm(lab());
  const isMaster = (node: string) => async (): Promise<boolean> =>
    (await masters(lab())).join() === node;
  t.deepEqual(await masters(lab()), ['haproxy01']);
  await fault(lab(), 'kill-haproxy', 'on', nodeAt(lab(), 0));
  await eventually('haproxy02 alone is MASTER', isMaster('haproxy02'));
  await fault(lab(), 'kill-haproxy', 'off', nodeAt(lab(), 0));
  await eventually('haproxy01 alone is MASTER', isMaster('haproxy01'));
  await asAtFirst(lab());
});

test('neither refused a word of the other', (t) => {
  const refused = lab()
    .nodes.flatMap(logOf)
    .filter(({ id, event }) => id === 'refused-client' || event === 'internal-error');
  t.deepEqual(refused, []);
});
