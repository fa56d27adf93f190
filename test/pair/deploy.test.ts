import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { proxyctl, startProbe } from '../lab/client.ts';
import { inside, labEnvironment } from '../lab/lab.ts';
import { calm, eventually, fault, nodeAt, runtime, scene, seenBy } from './scene.ts';

const { test, lab } = scene({ deploy: true });

interface Said {
  readonly ok: boolean;
  readonly changed: boolean;
  readonly result: {
    readonly nodes: readonly {
      readonly node: string;
      readonly verdict?: string;
      readonly outcome?: string;
    }[];
  } | null;
  readonly error?: { readonly code: string; readonly message: string; readonly cause: string };
}

/** As anna, over TLS: a unix socket has no key to sign with. */
const config = async (verb: 'check' | 'push', text: string, ...more: readonly string[]) => {
  const file = join(lab().runtime, 'pushed.conf');
  writeFileSync(file, text);
  chmodSync(file, 0o644);
  return proxyctl(lab(), ['config', verb, file, ...more], 'client');
};
const pushed = async (text: string, ...more: readonly string[]) => {
  const { code, stdout } = await config('push', text, '-o', 'json', ...more);
  return { code, json: JSON.parse(stdout) as Said };
};

const verdicts = (stdout: string): string[] =>
  ((JSON.parse(stdout) as Said).result?.nodes ?? []).map(
    ({ node, verdict }) => `${node} ${verdict}`,
  );

const pidOf = async (at: number): Promise<string | undefined> =>
  /^Pid: (\d+)$/m.exec(await runtime(nodeAt(lab(), at), 'show info'))?.[1];

/** What lies beside haproxy.conf on each host, and what runs there. */
const everywhere = (): Promise<unknown[]> =>
  Promise.all(
    lab().nodes.map(async (node, at) => ({
      files: readdirSync(dirname(node.haproxy_config)).filter((name) =>
        name.includes('haproxy.conf'),
      ),
      text: readFileSync(node.haproxy_config, 'utf8'),
      pid: await pidOf(at),
    })),
  );

const texts = (): string[] =>
  lab().nodes.map(({ haproxy_config: path }) => readFileSync(path, 'utf8'));
/** The configuration that every host has. */
const common = (): string => texts()[0] ?? '';
const maxconn = (value: number): string => common().replace(/maxconn \d+/, `maxconn ${value}`);
const running = (): Promise<string[]> =>
  Promise.all(
    lab().nodes.map(
      async (node) => /^Maxconn: (\d+)$/m.exec(await runtime(node, 'show info'))?.[1] ?? '',
    ),
  );

test('each HAProxy checks a configuration as it would run it, and nothing of it stays', async (t) => {
  await calm(lab());
  const before = await everywhere();
  const both = await config('check', maxconn(1023), '-o', 'json');
  t.is(both.code, 0, both.stdout);
  t.deepEqual(
    verdicts(both.stdout),
    lab().nodes.map(({ name }) => `${name} taken`),
  );
  const broken = await config('check', common().replace('maxconn 1024', 'maxcon 1024'));
  t.is(broken.code, 1, broken.stdout);
  for (const { name } of lab().nodes)
    t.regex(broken.stdout, new RegExp(`^unsound {3}${name}`, 'm'));
  t.regex(broken.stdout, /parsing \[\S+\/haproxy\.conf:3\] : unknown keyword 'maxcon'/);
  const missing = await config('check', common().replaceAll('site.pem', 'no-such.pem'));
  t.is(missing.code, 1, missing.stdout);
  t.regex(missing.stdout, /no-such\.pem/);
  t.deepEqual(await everywhere(), before);
});

test('a push is in force on both, one after the other, and no client notices; again it is there already', async (t) => {
  await calm(lab());
  const text = maxconn(1022);
  const probe = await startProbe(lab(), 'plain');
  const { code, json } = await pushed(text, '--reason', 'more room');
  await probe.more(100);
  const seen = await probe.end();
  t.like({ code, json }, { code: 0, json: { ok: true, changed: true } }, JSON.stringify(json));
  t.is(seen.failed, 0, seenBy(seen));
  t.deepEqual(texts(), [text, text]);
  t.deepEqual(await running(), ['1022', '1022']);
  const again = await pushed(text);
  t.like(again, { code: 0, json: { changed: false } }, JSON.stringify(again.json));
  const history = await proxyctl(lab(), ['config', 'history']);
  t.regex(history.stdout, /^\d+ +haproxy01 +in force +.* anna +more room$/m);
  const dry = await pushed(maxconn(1021), '--dry-run');
  t.like(dry, { code: 3, json: { changed: false } });
  t.deepEqual(texts(), [text, text]);
  await calm(lab());
});

test('what passes the check and cannot bind ends with the old one on both, and the MASTER is never touched', async (t) => {
  await calm(lab());
  const [before, pid] = [texts(), await pidOf(0)];
  const probe = await startProbe(lab(), 'plain');
  const bad = common().replace('    bind :80\n', '    bind :80\n    bind 127.0.0.1:7661\n');
  t.not(bad, common());
  const { code, json } = await pushed(bad);
  await probe.more(100);
  const seen = await probe.end();
  t.like({ code, json }, { code: 1, json: { ok: false, changed: false } }, JSON.stringify(json));
  t.is(seen.failed, 0, seenBy(seen));
  t.deepEqual([texts(), await pidOf(0)], [before, pid]);
  // HAProxy may have given its stats socket up before it failed: then the old one was reloaded.
  t.deepEqual(await running(), ['1022', '1022']);
  await calm(lab());
});

test('changed by hand since: refused with 5, pushed where that is accepted', async (t) => {
  await calm(lab());
  const { haproxy_config: path } = nodeAt(lab(), 1);
  writeFileSync(path, `${readFileSync(path, 'utf8')}# by hand\n`);
  const next = maxconn(1020);
  t.like(await pushed(next), { code: 5, json: { error: { code: 'local_changes' } } });
  const { code, json } = await pushed(next, '--accept-risk=local-changes');
  t.like({ code, json }, { code: 0, json: { changed: true } }, JSON.stringify(json));
  t.deepEqual(texts(), [next, next]);
  t.deepEqual(await running(), ['1020', '1020']);
});

test('a drain is in force after a push as it was before', async (t) => {
  await calm(lab());
  t.is((await proxyctl(lab(), ['drain', 'WEB/web1'])).code, 0);
  const { code, json } = await pushed(maxconn(1019));
  t.is(code, 0, JSON.stringify(json));
  for (const node of lab().nodes)
    t.regex(await runtime(node, 'show servers state WEB'), / WEB \d+ web1 \S+ 2 8 /);
  t.is((await proxyctl(lab(), ['ready', 'WEB/web1'])).code, 0);
  await eventually('it takes traffic again', async () =>
    / WEB \d+ web1 \S+ 2 0 /.test(await runtime(nodeAt(lab(), 0), 'show servers state WEB')),
  );
});

/** A push as a client sees it from its first line that holds the word on; then `act`, and its end. */
async function during(
  text: string,
  word: string,
  act: () => Promise<unknown>,
): Promise<number | null> {
  const file = join(lab().runtime, 'pushed.conf');
  writeFileSync(file, text);
  const argv = inside(lab(), 'client', [process.execPath, lab().proxyctl, 'config', 'push', file]);
  const [command = '', ...args] = argv;
  const env = { ...process.env, ...labEnvironment(lab(), 'client') };
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  let said = '';
  const reached = new Promise<void>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      if (said.includes(word)) resolve();
    });
  });
  await Promise.race([reached, ended]);
  await act();
  const [code] = await ended;
  return code;
}

test('an agent that is killed while a push goes on: both end with one version, and no client notices', async (t) => {
  const codes: (number | null)[] = [];
  let value = 1018;
  for (const at of [0, 1])
    for (const word of ['checking', 'installing']) {
      await calm(lab());
      const text = maxconn(value--);
      const node = nodeAt(lab(), at);
      const probe = await startProbe(lab(), 'plain');
      codes.push(await during(text, word, () => fault(lab(), 'kill-agent', 'on', node)));
      await fault(lab(), 'kill-agent', 'off', node);
      await eventually(
        'one version on both, on disk and in HAProxy',
        async () => {
          const [one, two] = texts();
          const [here, there] = await running();
          const inFile = /maxconn (\d+)/.exec(one ?? '')?.[1];
          return one === two && here === there && here === inFile;
        },
        60_000,
      );
      await calm(lab());
      const seen = await probe.end();
      t.is(seen.failed, 0, `${node.name} ${word}: ${seenBy(seen)}`);
    }
  t.log(codes);
});
