import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { proxyctl } from '../lab/client.ts';
import { labOrder } from '../lab/lab.ts';
import { asked, calm, eventually, nodeAt, scene } from './scene.ts';

const { test, lab } = scene();

const fileOf = (at: number): string => join(nodeAt(lab(), at).tools, '..', 'haproxy.conf');
/** What stands behind the passwords of this test, and nowhere else. */
const SECRET = /hunter/;

interface Shown {
  readonly node: string;
  readonly loaded: boolean | null;
  readonly version: string;
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

async function shown(): Promise<readonly Shown[]> {
  const { json } = await asked(lab(), 'config', 'show');
  return json.result?.['nodes'] ?? [];
}

test('nodes whose files differ in their own names alone: shown, and no difference', async (t) => {
  await calm(lab());
  const { code, stdout, stderr } = await proxyctl(lab(), ['config', 'diff']);
  t.deepEqual([code, stderr], [0, '']);
  t.deepEqual(
    stdout.split('\n').filter((line) => /localpeer/.test(line)),
    ['-    localpeer haproxy01', '+    localpeer haproxy02'],
  );
  t.regex(
    stdout.replaceAll('\n', ' '),
    /haproxy01 and haproxy02 differ in comments, spacing or names of nodes only $/,
  );
  t.deepEqual(
    (await shown()).map(({ node, loaded, files }) => [node, loaded, files.map(({ path }) => path)]),
    [0, 1].map((at) => [nodeAt(lab(), at).name, true, [fileOf(at)]]),
  );
});

test('a server and a password that are changed by hand: seen, told, and not printed', async (t) => {
  const kept = readFileSync(fileOf(1), 'utf8');
  const first = readFileSync(fileOf(0), 'utf8');
  const users = (password: string): string =>
    `\nuserlist staff\n    user anna insecure-password ${password}\n`;
  const server = /^ *server web3 .*\n/m;
  t.regex(kept, server);
  // When HAProxy began is known to two seconds: what is written within them counts as loaded.
  await eventually('both HAProxys have run for three seconds', async () => {
    const { stdout } = await proxyctl(lab(), ['haproxy', 'show info']);
    const seconds = [...stdout.matchAll(/Uptime_sec: (\d+)/g)].map(([, one]) => Number(one));
    return seconds.length === 2 && seconds.every((one) => one >= 3);
  });
  writeFileSync(fileOf(0), `${first}${users('hunter1')}`);
  writeFileSync(fileOf(1), `${kept.replace(server, '')}${users('hunter2')}`);
  const said: string[] = [];
  try {
    await proxyctl(lab(), ['drain', 'WEB/web3', '--reason', 'test']);
    for (const output of ['table', 'json'])
      for (const verb of ['diff', 'show'])
        said.push((await proxyctl(lab(), ['config', verb, '-o', output])).stdout);
    const { code, stdout } = await proxyctl(lab(), ['config', 'diff']);
    t.is(code, 3);
    const lines = stdout.split('\n');
    t.deepEqual(
      lines.filter((line) => /insecure-password/.test(line)),
      [
        '-    user anna insecure-password <secret-2>',
        '+    user anna insecure-password <secret-3>',
      ],
    );
    t.is(lines.filter((line) => /^-.*server web3 /.test(line)).length, 1);
    const at = lines.indexOf('haproxy01 and haproxy02 differ');
    t.regex(
      lines.slice(at).join('\n'),
      /^haproxy01 and haproxy02 differ\nonly haproxy01: server WEB\/web3\nsections {2}backend WEB, userlist staff\nwishes {4}drain of WEB\/web3 by [^]* would have no\s+server\n/,
    );
    t.deepEqual(
      (await shown()).map(({ loaded }) => loaded),
      [false, false],
    );
    await eventually('both agents tell of it', async () => {
      const { stdout: events } = await proxyctl(lab(), ['events', '--kind', 'haproxy-config']);
      said[4] = events;
      return events.split('\n').filter((line) => /was changed/.test(line)).length >= 2;
    });
    t.regex(
      said[4]?.replaceAll(/\s+/g, ' ') ?? '',
      /gone server WEB\/web3; HAProxy has not loaded/,
    );
    said.push((await proxyctl(lab(), ['doctor'])).stdout);
    t.regex(said.at(-1) ?? '', /haproxy-config-differs[^]*proxyctl config diff/);
    t.deepEqual(
      said.filter((text) => SECRET.test(text) || text === ''),
      [],
    );
    const logs = [0, 1].map((one) => readFileSync(nodeAt(lab(), one).log, 'utf8'));
    t.deepEqual(
      logs.filter((text) => SECRET.test(text)),
      [],
    );
  } finally {
    writeFileSync(fileOf(0), first);
    writeFileSync(fileOf(1), kept);
    await proxyctl(lab(), ['ready', 'WEB/web3']);
  }
  for (const node of lab().nodes) await labOrder(lab().name, { op: 'reload', node: node.name });
  await eventually('both are loaded again', async () =>
    (await shown()).every(({ loaded }) => loaded === true),
  );
  t.is((await proxyctl(lab(), ['config', 'diff'])).code, 0);
});
