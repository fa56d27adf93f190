import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { helperDeployments } from '../../agent/privilege/deployments.ts';
import { startHelper } from '../../agent/privilege/helper.ts';
import { eventually } from '../record.ts';
import { deployingHost, deployment, NEW, OLD, pkiOf, sign } from './deploying.ts';
import { asRoot } from './somebody.ts';
import { SCRIPT } from './tools.ts';

const pki = await pkiOf();
const alice = await pki.operator('alice', 'admin');

/** What begins a command of deploy.sh that changes something, or stands between two that do. */
const STEP =
  /^\t+(?:\{ )?(?:verify|digest_of|install$|version=|cp -Rp|mv |kill -0|write_last|swap|forget|rm -rf|unpack|command_of|sync_all|if \[ -d|durable)/;
const text = readFileSync(join(SCRIPT, '../deploy.sh'), 'utf8').split('\n');
const begin = text.findIndex((line) => line.startsWith('accept()'));
/** The lines that begin so; of what goes on behind `||` or `|` nothing is done as a rule. */
const PLACES = text.flatMap((line, at) =>
  at > begin && STEP.test(line) && !/(?:\\|\|\||\|)\s*$/.test(text[at - 1] ?? '') ? [at] : [],
);

/** The helper dies before it does this line. */
const dying = (place: number) => (script: string) =>
  script.includes('deployment()')
    ? script
        .split('\n')
        .map((line, at) => (at === place ? `kill -KILL $$\n${line}` : line))
        .join('\n')
    : script;

/** The next helper on the same host, from an unchanged script. */
async function next(t: ExecutionContext, host: Awaited<ReturnType<typeof deployingHost>>) {
  const helper = await startHelper(host.options);
  t.teardown(() => helper.close());
  return helperDeployments(helper);
}

/** Whatever is left after the next start is the one or the other whole, and goes on to work. */
async function isWhole(
  t: ExecutionContext,
  host: Awaited<ReturnType<typeof deployingHost>>,
  whole: () => string,
  one: ReturnType<typeof deployment>,
  what: string,
): Promise<string> {
  const deployments = await next(t, host);
  const now = whole();
  const { last, state, digest, versions } = await deployments.state();
  t.deepEqual(
    readdirSync(host.store).filter((name) => !/^(?:\d+|last)$/.test(name)),
    [],
    what,
  );
  t.deepEqual(readdirSync(join(host.folder, 'etc')).sort(), host.names, what);
  t.true([0, one.number].includes(last), what);
  if (last === one.number) {
    t.true([versions[0]?.digest, versions[0]?.before].includes(digest), what);
    if (state === 'pending') t.is((await deployments.back(one.number)).kind, 'done', what);
  }
  const again = { ...one, number: one.number + 1 };
  t.is((await deployments.install(sign(again, alice), null)).kind, 'done', what);
  return now;
}

asRoot('killed at any step of an install, what remains is one whole version', async (t) => {
  t.timeout(300_000);
  t.true(PLACES.length >= 25, String(PLACES.length));
  const seen = new Set<string>();
  for (const place of PLACES) {
    const host = await deployingHost(t, pki, { edited: dying(place) });
    const one = deployment();
    const answer = await host.deployments.install(sign(one, alice), null);
    const what = `${answer.kind} at ${text[place]}`;
    const now = await isWhole(t, host, host.text, one, what);
    t.true([OLD, NEW].includes(now), `${now}: ${what}`);
    seen.add(`${answer.kind} ${now === NEW ? 'new' : 'old'}`);
  }
  t.true(seen.has('unknown old') && seen.has('unknown new'), [...seen].join(', '));
});

asRoot('killed at any step, a directory is one whole version as well', async (t) => {
  t.timeout(300_000);
  const files = [
    { path: '10-global.cfg', content: Buffer.from('new\n') },
    { path: 'maps/a.map', content: Buffer.from('x') },
  ];
  const seen = new Set<string>();
  for (const place of PLACES) {
    const host = await deployingHost(t, pki, { edited: dying(place), directory: true });
    const old = host.tree().join('\n');
    const one = deployment({ form: 'directory', files });
    const answer = await host.deployments.install(sign(one, alice), null);
    const what = `${answer.kind} at ${text[place]}`;
    const now = await isWhole(t, host, () => host.tree().join('\n'), one, what);
    const isNew = now.includes('new\n') && now.endsWith(' x') && !now.includes('20-old');
    t.true(isNew || now === old, `${now}: ${what}`);
    seen.add(`${answer.kind} ${isNew ? 'new' : 'old'}`);
  }
  t.true(seen.has('unknown old') && seen.has('unknown new'), [...seen].join(', '));
});

asRoot('killed at any step of the way back, the way back can be asked for again', async (t) => {
  t.timeout(300_000);
  const marked = PLACES.filter((at) => at > text.findIndex((line) => line.startsWith('swap()')));
  for (const place of marked) {
    const host = await deployingHost(t, pki);
    const one = deployment();
    t.is((await host.deployments.install(sign(one, alice), null)).kind, 'done');
    const script = join(host.folder, 'deploy.sh');
    writeFileSync(script, dying(place)(readFileSync(script, 'utf8')));
    const dead = await startHelper(host.options, join(host.folder, 'helper.sh'));
    await helperDeployments(dead).back(one.number);
    dead.close();
    await dead.ended;
    t.true([OLD, NEW].includes(host.text()));
    const deployments = await next(t, host);
    t.is((await deployments.back(one.number)).kind, 'done', text[place]);
    t.deepEqual([host.text(), readdirSync(join(host.folder, 'etc'))], [OLD, ['haproxy.conf']]);
  }
});

/** A file system of so many bytes; null where none can be mounted. */
function smallDisk(t: ExecutionContext, folder: string, bytes: number): boolean {
  mkdirSync(folder, { recursive: true });
  const size = `size=${bytes},mode=755`;
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', folder]);
  if (status === 0) t.teardown(() => spawnSync('umount', ['-l', folder]));
  return status === 0;
}

for (const where of ['etc', 'deployed'])
  asRoot(`a full disk at ${where} changes nothing, and is said`, async (t) => {
    let mounted = false;
    const host = await deployingHost(t, pki, {
      prepare: (folder) => (mounted = smallDisk(t, join(folder, where), 128 * 1024)),
    });
    if (!mounted) return void t.pass('nothing can be mounted here');
    const large = deployment({}, '# room\n'.repeat(30_000));
    const answer = await host.deployments.install(sign(large, alice), null);
    const beside = where === 'etc' ? `beside ${host.config}` : `in ${host.store}`;
    t.deepEqual(answer, { kind: 'failed', why: `no room ${beside}` });
    t.deepEqual([host.text(), host.left().etc], [OLD, ['haproxy.conf']]);
    t.is((await host.deployments.install(sign(deployment(), alice), null)).kind, 'done');
    t.is(host.text(), NEW);
  });

asRoot('an openssl that hangs is ended, and nothing is taken', async (t) => {
  const host = await deployingHost(t, pki);
  const own = join(host.folder, 'base/openssl');
  writeFileSync(own, '#!/bin/sh\n[ "$1" != cms ] || exec sleep 60\nexec /usr/bin/openssl "$@"\n', {
    mode: 0o755,
  });
  const answer = await host.deployments.install(sign(deployment(), alice), null);
  t.deepEqual([answer.kind, host.text()], ['refused', OLD]);
});

asRoot('while one helper is at work another one takes nothing', async (t) => {
  const waits = 'echo >"$0/begun"; until [ -e "$0/go" ]; do sleep 0.1; done';
  const host = await deployingHost(t, pki, {
    slow: (folder) => ['/bin/sh', '-c', waits, folder],
  });
  const first = host.deployments.check(sign(deployment(), alice));
  await eventually(() => existsSync(join(host.folder, 'begun')));
  const other = await next(t, host);
  t.deepEqual(await other.check(sign(deployment(), alice)), {
    kind: 'refused',
    why: 'another configuration is under way: ask again later',
  });
  writeFileSync(join(host.folder, 'go'), '');
  t.is((await first).kind, 'done');
  t.is((await other.check(sign(deployment(), alice))).kind, 'done');
});

asRoot('what an agent asked that is gone is not installed any more', async (t) => {
  const edited = (script: string): string =>
    script.includes('deployment()') ? script.replaceAll('kill -0 "$PPID"', 'false') : script;
  const host = await deployingHost(t, pki, { edited });
  const answer = await host.deployments.install(sign(deployment(), alice), null);
  t.deepEqual(answer, { kind: 'failed', why: 'the agent is gone' });
  t.deepEqual([host.text(), host.left().etc], [OLD, ['haproxy.conf']]);
  t.is((await host.deployments.state()).last, 0);
});
