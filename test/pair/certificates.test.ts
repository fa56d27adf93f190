import { readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { newSite, sha1Of, SITE_NAMES } from '../lab/certificates.ts';
import { proxyctl, startProbe } from '../lab/client.ts';
import {
  asked,
  calm,
  eventually,
  exitOf,
  fault,
  interrupted,
  nodeAt,
  runtime,
  scene,
  seenBy,
} from './scene.ts';
import { everywhere as placesOf, filed as pushed, leftovers as leftoversOf } from './swaps.ts';

const { test, lab } = scene();

const filed = (pem: string): string => pushed(lab(), pem);
const everywhere = (): ReturnType<typeof placesOf> => placesOf(lab());
const leftovers = (): Promise<string[]> => leftoversOf(lab());

const all = (sha1: string): unknown =>
  lab().nodes.map(() => ({ served: sha1, memory: sha1, disk: sha1 }));

const now = (): string => sha1Of(readFileSync(nodeAt(lab(), 0).cert_path, 'utf8'));

test('what is there already is not swapped and leaves nothing open', async (t) => {
  const same = filed(readFileSync(nodeAt(lab(), 0).cert_path, 'utf8'));
  const sha1 = now();
  const { code, json } = await asked(lab(), 'cert', 'push', same);
  t.deepEqual([code, json['changed'], await leftovers()], [0, false, []]);
  t.deepEqual(await everywhere(), all(sha1));
});

test('a push swaps on both nodes: what clients get, memory and disk are the same, and no client notices', async (t) => {
  const pem = await newSite(90);
  const modes = lab().nodes.map((node) => statSync(node.cert_path).mode & 0o777);
  const probe = await startProbe(lab(), 'tls');
  const { code, json } = await asked(lab(), 'cert', 'push', filed(pem));
  await probe.more(100);
  const seen = await probe.end();
  const { failed } = seen;
  t.like({ code, json }, { code: 0, json: { ok: true, changed: true } });
  t.is(failed, 0, seenBy(seen));
  t.deepEqual(await everywhere(), all(sha1Of(pem)));
  t.deepEqual(await leftovers(), []);
  t.deepEqual(
    lab().nodes.map((node) => statSync(node.cert_path).mode & 0o777),
    modes,
  );
});

test('the same push again is already done, as often as it is said', async (t) => {
  const pem = await newSite(80);
  t.is(await exitOf(lab(), 'cert', 'push', filed(pem)), 0);
  const again = await asked(lab(), 'cert', 'push', filed(pem));
  t.like(again, { code: 0, json: { ok: true, changed: false } });
  t.deepEqual(await leftovers(), []);
  t.is(await exitOf(lab(), 'cert', 'push', filed(pem)), 0);
  t.deepEqual(await everywhere(), all(sha1Of(pem)));
});

test('memory is new and disk is old: a push is no "already", it mends the disk', async (t) => {
  const [old, pem] = [await newSite(70), await newSite(75)];
  t.is(await exitOf(lab(), 'cert', 'push', filed(pem)), 0);
  for (const { cert_path: path } of lab().nodes) writeFileSync(path, old);
  const { code, json } = await asked(lab(), 'cert', 'push', filed(pem));
  t.like({ code, json }, { code: 0, json: { changed: true } });
  t.deepEqual(await everywhere(), all(sha1Of(pem)));
});

test('a bundle that is no good is refused with its own exit code, and nothing is touched', async (t) => {
  const before = await everywhere();
  const good = await newSite(90);
  const [keyOfAnother = ''] = /-----BEGIN PRIVATE KEY-----[^]*/.exec(await newSite(90)) ?? [];
  const wrongKey = good.replace(/-----BEGIN PRIVATE KEY-----[^]*/, keyOfAnother);
  const withoutKey = good.replace(/-----BEGIN PRIVATE KEY-----[^]*/, '');
  const cases: readonly (readonly [string, string, number, ...string[]])[] = [
    ['wrong key', wrongKey, 1],
    ['without key', withoutKey, 1],
    ['expired', await newSite(-3), 1],
    ['not PEM', 'hello\n', 1],
    ['empty', '', 2],
    ['foreign names', await newSite(90, ['www.example.org']), 2],
    ['names lost', await newSite(90, SITE_NAMES.slice(1)), 2],
    ['unknown path', good, 8, '--as', '/nowhere/site.pem'],
  ];
  const codes: [string, number][] = [];
  for (const [what, pem, , ...more] of cases)
    codes.push([what, await exitOf(lab(), 'cert', 'push', filed(pem), ...more)]);
  t.deepEqual(
    codes,
    cases.map(([what, , code]) => [what, code]),
  );
  t.is(await exitOf(lab(), 'cert', 'push', '/nowhere.pem'), 2);
  t.deepEqual(await everywhere(), before);
  t.deepEqual(await leftovers(), []);
});

test('a dry run of a push exits 3 and stages nothing', async (t) => {
  const before = await everywhere();
  t.is(await exitOf(lab(), 'cert', 'push', filed(await newSite(90)), '--dry-run'), 3);
  t.deepEqual(await everywhere(), before);
  t.deepEqual(await leftovers(), []);
});

test("somebody else's open transaction is named and not stolen: exit 9", async (t) => {
  const { cert_path: path } = nodeAt(lab(), 1);
  const before = await everywhere();
  const theirs = readFileSync(path, 'utf8').replaceAll(/\n+/g, '\n');
  await runtime(nodeAt(lab(), 1), `set ssl cert ${path} <<\n${theirs}\n`);
  const pushed = await proxyctl(lab(), ['cert', 'push', filed(await newSite(90))]);
  t.is(pushed.code, 9, pushed.stderr);
  t.regex(pushed.stderr, /open certificate transaction/);
  t.regex(await runtime(nodeAt(lab(), 1), 'show ssl cert'), /^\*/m);
  await runtime(nodeAt(lab(), 1), `abort ssl cert ${path}`);
  t.deepEqual(await everywhere(), before);
  t.deepEqual(await leftovers(), []);
});

test("the peer's agent is away: exit 10 and nothing changed; with the risk accepted exit 6", async (t) => {
  const before = await everywhere();
  const second = nodeAt(lab(), 1);
  const pem = await newSite(90);
  await fault(lab(), 'kill-agent', 'on', second);
  try {
    t.is(await exitOf(lab(), 'cert', 'push', filed(pem)), 10);
    t.deepEqual(await everywhere(), before);
    const accepted = ['cert', 'push', filed(pem), '--accept-risk=peer-unknown'];
    t.is(await exitOf(lab(), ...accepted), 6);
    const [first] = await everywhere();
    t.is(first?.served, sha1Of(pem));
  } finally {
    await fault(lab(), 'kill-agent', 'off', second);
  }
  await calm(lab());
  // Nobody pushes it again: the node that was away comes to the decided version by itself.
  await eventually('it has caught up', async () =>
    (await everywhere()).every(({ disk, served }) => disk === sha1Of(pem) && served === disk),
  );
  t.deepEqual(await everywhere(), all(sha1Of(pem)));
  t.deepEqual(await leftovers(), []);
});

test('a node whose key has a file of its own: pushed, listed and rolled back as the other', async (t) => {
  const { cert_path: path } = nodeAt(lab(), 1);
  const key = `${path}.key`;
  const [inOne, pem] = [readFileSync(path, 'utf8'), await newSite(82)];
  const inTwo = (text: string): string[] => {
    const [one = ''] = /-----BEGIN PRIVATE KEY-----[^]*?END PRIVATE KEY-----\n/.exec(text) ?? [];
    return [text.replace(one, ''), one];
  };
  const [certificates = '', own = ''] = inTwo(inOne);
  writeFileSync(key, own, { mode: 0o400 });
  writeFileSync(path, certificates);
  t.is(await exitOf(lab(), 'cert', 'push', filed(pem)), 0);
  t.deepEqual(await everywhere(), all(sha1Of(pem)));
  t.deepEqual([readFileSync(path, 'utf8'), readFileSync(key, 'utf8')], inTwo(pem));
  t.is(statSync(key).mode & 0o777, 0o400);
  t.is(await exitOf(lab(), 'cert', 'verify'), 0);
  t.is(await exitOf(lab(), 'cert', 'rollback', 'site'), 0);
  t.deepEqual(await everywhere(), all(sha1Of(inOne)));
  t.is(readFileSync(key, 'utf8'), own);
  writeFileSync(path, readFileSync(nodeAt(lab(), 0).cert_path));
  unlinkSync(key);
});

test('list shows both nodes, verify is content, and a file overwritten by hand is exit 3', async (t) => {
  t.is(await exitOf(lab(), 'cert', 'verify'), 0);
  const { json } = await asked(lab(), 'cert', 'list');
  const listed = (json.result?.['certificates'] ?? []) as unknown as Record<string, unknown>[];
  const sha1 = now();
  t.deepEqual(
    listed.map(({ node, name, memory, disk, served: shown }) => [node, name, memory, disk, shown]),
    lab().nodes.map(({ name }) => [name, 'site', sha1, sha1, sha1]),
  );
  const { cert_path: path } = nodeAt(lab(), 1);
  const good = readFileSync(path, 'utf8');
  // Newer than what was decided: it is somebody's own, and left to them.
  writeFileSync(path, await newSite(95, SITE_NAMES, Date.now() - 60_000));
  const verified = await asked(lab(), 'cert', 'verify');
  const differing = await proxyctl(lab(), ['diff']);
  const other = sha1Of(readFileSync(path, 'utf8'));
  writeFileSync(path, good);
  const same = await proxyctl(lab(), ['diff']);
  const [mine = '', its = ''] = [sha1, other].map((one) => one.slice(0, 12));
  t.deepEqual([differing.code, same.code], [3, 0]);
  t.is(same.stdout, 'certificates: 1 the same on haproxy01, haproxy02\n');
  t.is(
    differing.stdout.replaceAll(/\d{4}-\d{2}-\d{2}/g, 'DATE'),
    `certificates: 1 of 1 differ between haproxy01, haproxy02

site: disk
  NODE       DISK          MEMORY        CLIENT        ENDS
  haproxy01  ${mine}  ${mine}  ${mine}  DATE
  haproxy02  ${its}  ${mine}  ${mine}  DATE
`,
  );
  const findings = (verified.json.result?.['findings'] ?? []) as unknown as { id: string }[];
  t.deepEqual([verified.code, findings.map(({ id }) => id)], [3, ['disk', 'undecided']]);
});

test('a rollback brings the bundle before the last push back, and again the other way', async (t) => {
  const [first, second] = [await newSite(85), await newSite(86)];
  for (const pem of [first, second]) t.is(await exitOf(lab(), 'cert', 'push', filed(pem)), 0);
  t.is(await exitOf(lab(), 'cert', 'rollback', 'site'), 0);
  t.deepEqual(await everywhere(), all(sha1Of(first)));
  t.is(await exitOf(lab(), 'cert', 'rollback', nodeAt(lab(), 0).cert_path), 0);
  t.deepEqual(await everywhere(), all(sha1Of(second)));
  t.is(await exitOf(lab(), 'cert', 'rollback', '/nowhere.pem'), 8);
});

test('HAProxy killed between prepare and commit: the old certificate stays on both nodes', async (t) => {
  const before = now();
  const first = nodeAt(lab(), 0);
  // The BACKUP commits first; its line is out when the MASTER's turn comes.
  await fault(lab(), 'freeze-haproxy', 'on', first);
  const args = ['cert', 'push', filed(await newSite(90))];
  const { code } = await interrupted(lab(), args, { line: 'never printed' }, async () => {});
  t.not(code, 0);
  await fault(lab(), 'freeze-haproxy', 'off', first);
  await calm(lab());
  await eventually('the journals are closed', async () => (await leftovers()).length === 0);
  t.deepEqual(await everywhere(), all(before));

  const point = { line: 'checking' };
  const killed = await interrupted(lab(), ['cert', 'push', filed(await newSite(91))], point, () =>
    fault(lab(), 'kill-haproxy', 'on', first),
  );
  await fault(lab(), 'kill-haproxy', 'off', first);
  await calm(lab());
  await eventually('the journals are closed', async () => (await leftovers()).length === 0);
  t.true(killed.reached);
  const seen = await everywhere();
  const versions = [...new Set(seen.flatMap((one) => Object.values(one)))];
  t.is(versions.length, 1, JSON.stringify({ code: killed.code, seen }));
  t.is(versions[0] === before, killed.code !== 0, `exit ${killed.code}`);
});
