import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newSite, sha1Of } from '../lab/certificates.ts';
import { asked, calm, eventually, fault, interrupted, nodeAt, scene } from '../pair/scene.ts';
import { delayed, everywhere, filed, leftovers, watchServed } from '../pair/swaps.ts';

const { test, lab } = scene();

/** Fewer for a short look: SWAPS=40 KILLS=8. */
const SWAPS = Number(process.env['SWAPS'] ?? 200);
const KILLS = Number(process.env['KILLS'] ?? 30);
const SEED = Number(process.env['SWAP_SEED'] ?? 20_260_101);

/** Every bundle that was pushed: its key must be found nowhere else. */
const pushed: string[] = [];
async function site(days: number): Promise<string> {
  const pem = await newSite(days);
  pushed.push(pem);
  return pem;
}

test(`${SWAPS} swaps in a row under a client that looks: no failed handshake, no mix longer than one swap`, async (t) => {
  const before = sha1Of(readFileSync(nodeAt(lab(), 0).cert_path, 'utf8'));
  const windows = [{ sha1: before, startMs: -Infinity, endMs: -Infinity }];
  const watch = await watchServed(lab());
  const codes = new Set<number>();
  for (let swap = 0; swap < SWAPS; swap++) {
    const pem = await site(40 + (swap % 40));
    const path = filed(lab(), pem);
    const startMs = Date.now();
    codes.add((await asked(lab(), 'cert', 'push', path)).code);
    windows.push({ sha1: sha1Of(pem), startMs, endMs: Date.now() });
  }
  const { failed, runs } = await watch.end();
  t.deepEqual([[...codes], failed], [[0], []]);
  // Seen no sooner than its own push began, and no later than the next one's end.
  const wrong = runs.filter(({ sha1, first_ms: first, last_ms: last }) => {
    const at = windows.findIndex((one) => one.sha1 === sha1);
    const next = windows[at + 1]?.endMs ?? Infinity;
    return at < 0 || first < (windows[at]?.startMs ?? 0) || last > next;
  });
  t.deepEqual(wrong, []);
  const handshakes = runs.reduce((sum, { count }) => sum + count, 0);
  t.true(handshakes > SWAPS, `${handshakes} handshakes`);
  t.log(`${handshakes} handshakes, ${runs.length} runs of one certificate`);
  t.deepEqual(await leftovers(lab()), []);
});

test(`kill -9 at ${KILLS} random moments of a swap (seed ${SEED}): one fingerprint each time`, async (t) => {
  t.log(`seed ${SEED}`);
  const chance = random(SEED);
  const ends: string[] = [];
  const seen: string[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const what = chance() < 0.5 ? 'kill-agent' : 'kill-haproxy';
    const victim = nodeAt(lab(), chance() < 0.5 ? 0 : 1);
    // Over the whole of a push: before it is prepared, while it goes on, and after its end.
    const afterMs = Math.floor(chance() * 500);
    const old = sha1Of(readFileSync(nodeAt(lab(), 0).cert_path, 'utf8'));
    const pem = await site(60);
    const push = asked(lab(), 'cert', 'push', filed(lab(), pem));
    await delayed(afterMs);
    await fault(lab(), what, 'on', victim);
    const { code } = await push;
    await fault(lab(), what, 'off', victim);
    const title = `${what} of ${victim.name} ${afterMs} ms after its start, exit ${code}`;
    await eventually(`${title}: one fingerprint everywhere, nothing open`, async () => {
      const found = await everywhere(lab()).catch(() => []);
      const all = new Set(found.flatMap((one) => Object.values(one)));
      return found.length === 2 && all.size === 1 && (await leftovers(lab())).length === 0;
    });
    const now = sha1Of(readFileSync(nodeAt(lab(), 0).cert_path, 'utf8'));
    const end = now === old ? 'old' : now === sha1Of(pem) ? 'new' : 'neither';
    ends.push(end);
    seen.push(`${title}: ${end}`);
    // What the operator was told is true.
    if (code === 0 || code === 6) t.is(end, 'new', title);
    if (code === 1 || code === 10) t.is(end, 'old', title);
    t.not(end, 'neither', title);
    await calm(lab());
  }
  t.log(
    `${ends.filter((end) => end === 'new').length} new, ${ends.filter((end) => end === 'old').length} old`,
  );
});

test('the keys that were pushed are in no log, state, event, core file or process argument', async (t) => {
  const pem = await site(50);
  let commands = '';
  const point = { line: 'checking' };
  await interrupted(lab(), ['cert', 'push', filed(lab(), pem)], point, () => {
    commands = everyCommand();
    return Promise.resolve();
  });
  // The second line of a key in base64: the first is the same for all of one kind.
  const secrets = pushed.map((text) => /PRIVATE KEY-----\n.*\n(.*)\n/.exec(text)?.[1] ?? '');
  const holding = (text: string): boolean => secrets.some((secret) => text.includes(secret));
  const found = filesUnder(lab().runtime).filter((path) => holding(readFileSync(path, 'latin1')));
  const allowed = /\/(site|pushed)\.pem$|\/swaps\/previous-[0-9a-z-]+\.json$/;
  t.deepEqual(
    secrets.filter((secret) => secret.length < 40),
    [],
  );
  t.true(found.length >= 3, 'the certificate files themselves are found');
  t.deepEqual(
    found.filter((path) => !allowed.test(path)),
    [],
  );
  t.false(holding(commands));
  t.true(commands.includes('haproxy'));
});

/** Numbers from 0 to 1, the same for a seed: mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** Arguments and environment of every process of this machine that may be read. */
function everyCommand(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) =>
      ['cmdline', 'environ'].map((what) => {
        try {
          return readFileSync(join('/proc', pid, what), 'latin1');
        } catch {
          return '';
        }
      }),
    )
    .join('\n');
}
