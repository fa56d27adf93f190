import { join } from 'node:path';
import { startBrowser } from './browser.ts';
import { proxyctl, startProbe } from './client.ts';
import { inside, installedHaproxy, labDown, labEnvironment, labMissing, labUp } from './lab.ts';
import { CHECKOUT } from './plan.ts';
import { pictureOf, terminalScreen } from './terminal-picture.ts';

// npm run screenshots: docs/page.png and docs/page-dark.png, the page of a lab with something to see,
// and docs/top.png, its `proxyctl top`.
const name = 'web';
const SIZE = { width: 1180, height: 1000 };

const missing = labMissing();
if (missing !== null) throw new Error(missing);
const lab = await labUp(
  { name, freebsd: 14, preempt: false, haproxy: installedHaproxy(), nodes: 2, web: true },
  true,
);
try {
  const run = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await proxyctl(lab, args);
    if (code !== 0) throw new Error(`proxyctl ${args.join(' ')}: exit ${code}: ${stderr}`);
  };
  const [, second] = lab.nodes;
  await run('wait', '--for=converged');
  await run('failover', '--to', second?.name ?? '', '--reason', 'kernel update');
  await run('drain', 'WEB/web2', '--reason', 'new disk');
  const probe = await startProbe(lab);
  const started = await startBrowser(inside(lab, 'client', []));
  try {
    for (const [scheme, file] of [
      ['light', 'page.png'],
      ['dark', 'page-dark.png'],
    ] as const) {
      const page = await started.browser.newPage({ colorScheme: scheme, viewport: SIZE });
      await page.goto(`http://${second?.address4}:7663/`);
      await page.getByText('Live: changes show by themselves.').waitFor();
      // Rates need two looks at the servers.
      const rate = page.locator('#servers tr:has(th:text-is("web1")) td:nth-child(9)');
      await rate.filter({ hasText: /^[1-9]/ }).waitFor();
      await page.screenshot({ path: join(CHECKOUT, 'docs', file) });
      await page.close();
    }
    const argv = [process.execPath, lab.proxyctl, 'top'];
    const down = '\u001B[B';
    const screen = await terminalScreen(argv, labEnvironment(lab, null), [
      // Rates need two looks at the servers; the fifth row is marked; then its question stands there.
      [/WEB\/web1.* [1-9][\d.]*\s*$/m, down.repeat(5)],
      [/>WEB\/web3/, 'D'],
      [/drain WEB\/web3 on every node/, 'nq'],
    ]);
    await pictureOf(screen, started.browser, join(CHECKOUT, 'docs', 'top.png'));
  } finally {
    await started.close();
    await probe.end();
  }
} finally {
  await labDown(name);
}
