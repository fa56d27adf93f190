import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { newRsaSite, newSite, sha1Of } from '../lab/certificates.ts';
import { proxyctl } from '../lab/client.ts';
import type { LabNode } from '../lab/report.ts';
import { calm, fault, nodeAt, scene } from '../pair/scene.ts';
import { filed, leftovers, sitesOf, watchServed } from '../pair/swaps.ts';
import { coresUnder, filesWith, formsIn, needlesOf, type Needle } from './key-hunt.ts';
import { watchForKeys, type KeyWatch } from './key-watch.ts';
import { killOf, VICTIMS, type Kill, type Part } from './kill-plan.ts';
import { killTable, momentOf, phasesOf, victimOf, type Row } from './kill-report.ts';
import { complaints, onDisk, oneFingerprint } from './one-fingerprint.ts';
import { longestMix, strangers } from './served-runs.ts';
import { strike, swapLength } from './strike.ts';

// A dead HAProxy moves its address each time; how often that may be is not what is looked at here.
const { test, lab } = scene({ maxMoves: 1000, more: 2 });

/** Fewer for a short look: SWAPS=40 KILLS=8. A seed gives the same victims and moments again. */
const SWAPS = Number(process.env['SWAPS'] ?? 200);
const KILLS = Number(process.env['KILLS'] ?? 30);
const SEED = Number(process.env['SWAP_SEED'] ?? 20_260_101);
/** Recovery is tried every 5 s, and an agent needs a second or two to start. */
const MENDED_MS = 15_000;

/** Every key that was pushed, in every form it could lie somewhere. */
const secrets: Needle[] = [];
let watch: KeyWatch | null = null;

async function site(at: number): Promise<string> {
  const days = 40 + (at % 40);
  const pem = at % 10 === 9 ? await newRsaSite(days) : await newSite(days);
  secrets.push(...needlesOf(pem));
  return pem;
}

/** A new bundle for every certificate of the listener. */
async function sites(at: number): Promise<string[]> {
  const more = await Promise.all(
    sitesOf(nodeAt(lab(), 0))
      .slice(1)
      .map(({ servername }) => newSite(40 + (at % 40), [servername])),
  );
  for (const pem of more) secrets.push(...needlesOf(pem));
  return [await site(at), ...more];
}

/** Runs proxyctl and keeps what it printed. */
async function told(...args: readonly string[]): Promise<number> {
  const { code, stdout, stderr } = await proxyctl(lab(), args);
  watch?.said(stdout, stderr);
  return code;
}

test('the processes of the machine are looked at from here on', async (t) => {
  for (const { path } of sitesOf(nodeAt(lab(), 0)))
    secrets.push(...needlesOf(readFileSync(path, 'utf8')));
  watch = await watchForKeys(lab());
  await watch.ask();
  t.pass();
});

test(`${SWAPS} swaps in a row under a client that looks: no failed handshake, no mix longer than one swap`, async (t) => {
  const windows = [{ sha1: onDisk(lab())[0] ?? '', startMs: -Infinity, endMs: -Infinity }];
  const { nodes, vip4, vip6 } = lab();
  const looking = await watchServed(lab(), [...nodes.map((node) => node.address4), vip4, vip6]);
  const codes = new Set<number>();
  for (let swap = 0; swap < SWAPS; swap++) {
    const pem = await site(swap);
    const path = filed(lab(), pem);
    const startMs = Date.now();
    codes.add(await told('cert', 'push', path, ...(swap % 2 === 0 ? ['-o', 'json'] : [])));
    windows.push({ sha1: sha1Of(pem), startMs, endMs: Date.now() });
  }
  const { failed, runs } = await looking.end();
  t.deepEqual([[...codes], failed], [[0], []]);
  t.deepEqual(strangers(runs, windows), []);
  const handshakes = runs.reduce((sum, { count }) => sum + count, 0);
  t.true(handshakes > 4 * SWAPS, `${handshakes} handshakes`);
  const longestMs = Math.max(...windows.slice(1).map(({ startMs, endMs }) => endMs - startMs));
  const mixMs = longestMix(runs, windows);
  print(
    `${SWAPS} swaps, ${handshakes} handshakes, none failed; longest push ${longestMs} ms, longest mix ${mixMs} ms`,
  );
  t.true(mixMs <= longestMs);
  t.deepEqual(await leftovers(lab()), []);
  t.deepEqual(await complaints(lab()), []);
  // What a rollback brings back: of the last swap only.
  for (const { state_dir: state } of nodes) t.is(readdirSync(join(state, 'swaps')).length, 1);
});

/** What each exit code of `cert push` promises of the end. */
const PROMISED: Readonly<Record<number, readonly Row['end'][]>> = {
  0: ['new'],
  1: ['old'],
  6: ['new'],
  7: ['old', 'new'],
  9: ['old'],
  10: ['old'],
};

/** In the middle of a swap the key is in these files: certificate, journal, and what was pushed. */
const MAY_HOLD =
  /\/(pushed-\d\.pem|\.?(site|more-\d)\.pem(\.proxyctl)?|state\/swaps\/(swap|previous)-[0-9a-z-]+\.json(\.new)?)$/;

/** Pushes new bundles, kills, and waits for the pair to be one again. */
async function killed(kill: Kill, pems: readonly string[]): Promise<Row> {
  const old = onDisk(lab());
  const struck = await strike(lab(), kill, pems);
  watch?.said(JSON.stringify(struck));
  const title = `${victimOf(kill)}, ${momentOf(kill)}, ${phasesOf(struck)}, exit ${struck.code}`;
  const now = await oneFingerprint(lab(), title, MENDED_MS);
  const mendedMs = performance.now() - struck.backMs;
  const is = (sha1s: readonly string[]): boolean => now.join() === sha1s.join();
  const end = is(old) ? 'old' : is(pems.map((pem) => sha1Of(pem))) ? 'new' : 'mixed';
  return { kill, struck, end, mendedMs };
}

test(`kill -9 at ${KILLS} random moments of a swap (seed ${SEED}): one fingerprint each time`, async (t) => {
  const lengths: number[] = [];
  for (let at = 0; at < 5; at++) lengths.push(await swapLength(lab(), await sites(at)));
  const lengthMs = lengths.toSorted((a, b) => a - b)[2] ?? 0;
  print(`seed ${SEED}; a swap takes ${lengths.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  const rows: Row[] = [];
  let outside = 0;
  for (let at = 0; rows.length < KILLS && at < 3 * KILLS; at++) {
    const row = await killed(killOf(SEED, at, lengthMs), await sites(at));
    const { struck, end } = row;
    const title = killTable([row])[0] ?? '';
    print(`${at}: ${title}`);
    // What the operator was told is true.
    t.true(PROMISED[struck.code ?? -1]?.includes(end), `${title}\n${JSON.stringify(struck.json)}`);
    t.deepEqual(
      struck.holding.filter((path) => !MAY_HOLD.test(path)),
      [],
      title,
    );
    if (struck.code !== 7) t.is(struck.json.changed, end === 'new', title);
    await calm(lab());
    t.deepEqual(await complaints(lab()), [], title);
    if (struck.inside) rows.push(row);
    else outside++;
  }
  const table = killTable(rows);
  const longestMs = Math.max(...rows.map(({ mendedMs }) => mendedMs));
  print(
    ...table.slice(rows.length),
    `${rows.length} kills inside a swap, ${outside} outside; longest until mended ${(longestMs / 1000).toFixed(1)} s`,
  );
  t.is(rows.length, KILLS, `${outside} fell outside`);
  if (KILLS < 20) return;
  t.is(new Set(rows.map(({ kill }) => victimOf(kill))).size, VICTIMS.length);
  t.true(new Set(rows.map(({ struck }) => phasesOf(struck))).size >= 4);
  t.is(new Set(rows.map(({ end }) => end)).size, 2);
});

test('an agent that dumps core in the middle of a swap leaves none; with cores allowed its core has the key', async (t) => {
  const dumping = (part: Part, signal: NodeJS.Signals): Kill => ({
    victim: { part, program: 'agent' },
    coordinator: 0,
    sign: { file: 'journal', part, nth: 2 },
    afterMs: 0,
    signal,
    back: 'after the answer',
  });
  const forms: string[][] = [];
  const cases = [
    ['coordinator', 'SIGABRT', false],
    ['other', 'SIGSEGV', false],
    ['coordinator', 'SIGABRT', true],
    ['other', 'SIGSEGV', true],
  ] as const;
  for (const [part, signal, allowed] of cases) {
    const node = nodeAt(lab(), part === 'coordinator' ? 0 : 1);
    if (allowed) await restartedWithCores(node);
    const pems = await sites(0);
    const needles = pems.flatMap((pem) => needlesOf(pem));
    const { struck } = await killed(dumping(part, signal), pems);
    t.true(struck.inside, phasesOf(struck));
    const cores = coresUnder(lab().runtime);
    forms.push(cores.flatMap((path) => formsIn(readFileSync(path), needles)));
    for (const path of cores) rmSync(path);
    await calm(lab());
  }
  t.deepEqual(forms.slice(0, 2), [[], []]);
  const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
  if (pattern !== 'core') return t.log(`not shown: core_pattern is ${pattern}`);
  print(
    `cores that were allowed held: ${forms
      .slice(2)
      .map((one) => one.join(', '))
      .join('; ')}`,
  );
  for (const found of forms.slice(2)) t.true(found.includes('base64'), found.join());
});

test('the keys that were pushed are in no log, state, event, core file, output or process argument', async (t) => {
  const good = await newSite(50);
  const broken = good.replace(/(-----BEGIN PRIVATE KEY-----\n.{20})..../, '$1!!!!');
  const [ofAnother = ''] = /-----BEGIN PRIVATE KEY-----[^]*/.exec(await site(1)) ?? [];
  const wrong = good.replace(/-----BEGIN PRIVATE KEY-----[^]*/, ofAnother);
  secrets.push(...needlesOf(good));
  // What is refused is not repeated either.
  for (const pem of [broken, wrong, wrong.replaceAll('\n', '\r\n'), `\n\n${ofAnother}`])
    t.not(await told('cert', 'push', filed(lab(), pem)), 0);
  await watch?.ask();
  const { processes, holding } = (await watch?.end()) ?? notWatched();
  t.deepEqual(holding(secrets), []);
  t.true(processes.includes('haproxy') && processes.includes('cert\0push'));

  const { runtime, nodes } = lab();
  const found = filesWith(runtime, secrets);
  const pushed = readdirSync(runtime)
    .filter((name) => name.startsWith('pushed'))
    .map((name) => join(runtime, name));
  const journal = /^previous-[0-9a-z-]+\.json$/;
  const kept = nodes.flatMap(({ state_dir: state }) =>
    readdirSync(join(state, 'swaps'))
      .filter((name) => journal.test(name))
      .map((name) => join(state, 'swaps', name)),
  );
  const files = nodes.flatMap((node) => sitesOf(node).map(({ path }) => path));
  const allowed = [...files, ...kept];
  t.deepEqual(found.toSorted(), [...allowed, ...pushed].toSorted());
  t.deepEqual(
    allowed.map((path) => statSync(path).mode & 0o777),
    allowed.map(() => 0o600),
  );
  print(
    `${secrets.length} forms of keys looked for in ${runtime} and in everything that was printed`,
  );
});

/** What rc.d takes from the agent: shows that the hunt would find a key in its core. */
async function restartedWithCores(node: LabNode): Promise<void> {
  await fault(lab(), 'cores', 'on', node);
  await fault(lab(), 'kill-agent', 'on', node);
  await fault(lab(), 'kill-agent', 'off', node);
  await fault(lab(), 'cores', 'off', node);
  await calm(lab());
}

const notWatched = (): never => {
  throw new Error('nobody looked');
};

/** For whoever reads the run: ava's tap keeps t.log to itself. */
const print = (...lines: readonly string[]): void =>
  void process.stderr.write(`${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n`);
