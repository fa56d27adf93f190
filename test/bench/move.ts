import { parseArgs } from 'node:util';
import { installedHaproxy, labDown, labUp } from '../lab/lab.ts';
import { proxyctl, startProbe } from '../lab/client.ts';
import { quantile, tenth } from './figures.ts';

const RUNS = 10;

interface Envelope {
  readonly result: { readonly addresses: readonly { readonly dark_ms_max: number }[] };
}

/**
 * Moves of every address of a lab to and fro: what the verb takes from call to result (`call_ms`,
 * the start of proxyctl too), the longest a client of the first and of the last address waited
 * (`gap_ms`), and what was said of it (`dark_ms`). The lab's ifconfig is perl that asks a simulated
 * kernel. `--addresses N`, 8 unless said.
 */
export async function move(): Promise<unknown> {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: { addresses: { type: 'string', default: '8' } },
  });
  const addresses = Number(values.addresses);
  const name = `bm${process.pid}`;
  const lab = await labUp(
    { name, freebsd: 14, preempt: false, haproxy: installedHaproxy(), nodes: 2, addresses },
    true,
  );
  try {
    const [first, last] = [lab.addresses.at(0), lab.addresses.at(-1)];
    const vips = [...new Set([first?.vip4, last?.vip4])];
    const probes = await Promise.all(vips.map((vip) => startProbe(lab, 'plain', 4, vip)));
    const took: number[] = [];
    const dark: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const to = lab.nodes[(run + 1) % 2]?.name ?? '';
      const startMs = performance.now();
      const { code, stdout } = await proxyctl(lab, ['failover', '--to', to, '-o', 'json']);
      if (code !== 0) throw new Error(`failover --to ${to}: exit ${code}\n${stdout}`);
      took.push(performance.now() - startMs);
      const { result } = JSON.parse(stdout) as Envelope;
      dark.push(Math.max(...result.addresses.map((one) => one.dark_ms_max)));
      await Promise.all(probes.map((probe) => probe.answeredBy(to, 20)));
    }
    const seen = await Promise.all(probes.map((probe) => probe.end()));
    const gaps = seen.flatMap((one) => one.gaps.map(({ ms }) => ms));
    const figures = (all: readonly number[]) => ({
      median: tenth(quantile(all, 0.5)),
      most: tenth(Math.max(0, ...all)),
    });
    return {
      addresses,
      call_ms: figures(took),
      gap_ms: figures(gaps),
      dark_ms: figures(dark),
      failed: seen.reduce((sum, { failed }) => sum + failed, 0),
      runs: RUNS,
      node_version: process.versions.node,
    };
  } finally {
    await labDown(name);
  }
}
