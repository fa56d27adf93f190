import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { proxyctl } from '../lab/client.ts';
import { calm, nodeAt, runtime, scene } from './scene.ts';

const { test, lab } = scene({ deploy: true });

interface Checked {
  readonly ok: boolean;
  readonly result: {
    readonly nodes: readonly { readonly node: string; readonly verdict: string }[];
  };
}

/** As anna, over TLS: a unix socket has no key to sign with. */
const check = async (text: string, ...more: readonly string[]) => {
  const file = join(lab().runtime, 'pushed.conf');
  writeFileSync(file, text);
  chmodSync(file, 0o644);
  return proxyctl(lab(), ['config', 'check', file, ...more], 'client');
};

const verdicts = (stdout: string): string[] =>
  (JSON.parse(stdout) as Checked).result.nodes.map(({ node, verdict }) => `${node} ${verdict}`);

/** What lies beside haproxy.conf on each host, and what runs there. */
const everywhere = (): Promise<unknown[]> =>
  Promise.all(
    lab().nodes.map(async (node) => ({
      files: readdirSync(dirname(node.haproxy_config)).filter((name) => name.includes('haproxy')),
      text: readFileSync(node.haproxy_config, 'utf8'),
      pid: /^Pid: (\d+)$/m.exec(await runtime(node, 'show info'))?.[1],
    })),
  );

/** haproxy.conf of the first host, with what differs by host as HAProxy itself knows it. */
const common = (): string => readFileSync(nodeAt(lab(), 0).haproxy_config, 'utf8');

test('each HAProxy checks a configuration as it would run it, and nothing of it stays', async (t) => {
  await calm(lab());
  const before = await everywhere();
  const both = await check(common().replace('maxconn 1024', 'maxconn 1023'), '-o', 'json');
  t.is(both.code, 0, both.stdout);
  t.deepEqual(
    verdicts(both.stdout),
    lab().nodes.map(({ name }) => `${name} taken`),
  );
  const broken = await check(common().replace('maxconn 1024', 'maxcon 1024'));
  t.is(broken.code, 1, broken.stdout);
  for (const { name } of lab().nodes)
    t.regex(broken.stdout, new RegExp(`^unsound {3}${name}`, 'm'));
  t.regex(broken.stdout, /parsing \[\S+\/haproxy\.conf:3\] : unknown keyword 'maxcon'/);
  const missing = await check(common().replaceAll('site.pem', 'no-such.pem'));
  t.is(missing.code, 1, missing.stdout);
  t.regex(missing.stdout, /no-such\.pem/);
  t.deepEqual(await everywhere(), before);
});
