import { startProbe, type Probed } from '../lab/client.ts';
import type { LabReport } from '../lab/report.ts';
import { asAtFirst, asked, nodeAt, scene } from './scene.ts';

const ADDRESSES = 8;
const ROUNDS = 3;
/** Connections between two moves. */
const CALM = 200;
/** What readings and messages take on a busy machine that runs the whole lab. */
const FLOOR_MS = 1000;

const { test, lab } = scene({ addresses: ADDRESSES });

interface Moved {
  readonly address: string;
  readonly outcome: string;
  readonly dark_ms_max: number;
}

test('eight addresses move in one call, and no client of any waits longer than is said', async (t) => {
  // As many connections as two cores stand: one family each.
  const clients = [
    { ...addressAt(0), family: 4 },
    { ...addressAt(ADDRESSES - 1), family: 6 },
  ] as const;
  const probes = await Promise.all(
    clients.map(({ family, vip4, vip6 }) =>
      startProbe(lab(), 'plain', family, family === 4 ? vip4 : vip6),
    ),
  );
  const ids = clients.map(({ id }) => id);
  const moves: { readonly fromMs: number; readonly toMs: number; readonly moved: Moved[] }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const at of [1, 0]) {
      const to = nodeAt(lab(), at).name;
      await Promise.all(probes.map((probe) => probe.more(CALM)));
      const fromMs = Date.now();
      const { code, json } = await asked(lab(), 'failover', '--to', to);
      await Promise.all(probes.map((probe) => probe.answeredBy(to, 20)));
      const moved: Moved[] = json.result?.['addresses'] ?? [];
      t.deepEqual(
        [code, moved.map(({ outcome }) => outcome)],
        [0, Array.from({ length: ADDRESSES }, () => 'moved')],
      );
      moves.push({ fromMs, toMs: Date.now(), moved });
    }
  }
  const seen = await Promise.all(probes.map((probe) => probe.end()));
  // On a machine that has too much to do a client waits without any move as well.
  const noise = seen.map((one) =>
    longest(one, (atMs) => !moves.some(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs)),
  );
  const rows = moves.flatMap(({ fromMs, toMs, moved }) =>
    seen.map((one, at) => ({
      gap: longest(one, (atMs) => atMs >= fromMs && atMs <= toMs),
      noise: noise[at] ?? 0,
      dark: moved.find(({ address }) => address === ids[at])?.dark_ms_max ?? -1,
    })),
  );
  t.log(`client/said, ms: ${rows.map(({ gap, dark }) => `${gap}/${dark}`).join(' ')}`);
  t.log(`longest without a move: ${noise.join(', ')} ms`);
  const wrong = rows.filter(
    (row) => row.gap > row.dark + row.noise || row.dark > Math.max(10 * row.gap, FLOOR_MS),
  );
  t.deepEqual(wrong, []);
  await asAtFirst(lab());
});

function addressAt(at: number): LabReport['addresses'][number] {
  const found = lab().addresses[at];
  if (found === undefined) throw new Error(`the lab has no address ${at}`);
  return found;
}

/** The longest gap of a client among those that began, on the wall clock, when `counts` says. */
function longest({ from, gaps }: Probed, counts: (atMs: number) => boolean): number {
  const beganMs = Date.parse(from);
  const those = gaps.filter(({ at_ms: atMs }) => counts(beganMs + atMs));
  return Math.max(0, ...those.map(({ ms }) => ms));
}
