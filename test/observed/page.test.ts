import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import axe, { type AxeResults } from 'axe-core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { problems } from '../../agent/problems.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { startWeb } from '../../agent/web/web.ts';
import { serverReading } from '../core/builders.ts';
import { installedChromium, startBrowser } from '../lab/browser.ts';
import { PICTURE } from '../web/pictures.ts';

// The page as a real Chromium has it: every state that the page knows, and names that nobody should have.
const real = installedChromium() === null ? test.serial.skip : test.serial;
const EVIL = `<img src=x onerror="document.title='taken'"><script>document.title='taken'</script>`;

let running: Awaited<ReturnType<typeof startBrowser>> | null = null;
let address = '';
let stop = (): void => undefined;

test.serial.before('the page is answered and a browser runs', async () => {
  if (installedChromium() === null) return;
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const { servers, events, certificates, status } = PICTURE;
  if (servers === null || events === null) throw new Error('the picture is whole');
  const evil = serverReading({ backend: `WEB${EVIL}`, name: `web${EVIL}` });
  const nodes = servers.nodes.map((node) => ({ ...node, servers: [...node.servers, evil] }));
  const web = startWeb({
    place: { listen: [`127.0.0.1:${port}`], names: [] },
    clock: systemClock,
    problems: problems(systemClock, () => undefined),
    status: () => status,
    certificates: () => certificates,
    servers: () => Promise.resolve({ ...servers, nodes }),
    events: () => Promise.resolve(events),
  });
  stop = () => web.close();
  address = `http://127.0.0.1:${port}/`;
  running = await startBrowser();
});

test.serial.after.always('they end', async () => {
  await running?.close();
  stop();
});

/** A page of its own, and what the browser complains of in it. */
async function opened(t: ExecutionContext, options: BrowserContextOptions = {}) {
  if (running === null) throw new Error('no browser runs');
  const context = await running.browser.newContext(options);
  t.teardown(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(address);
  return { page, complaints };
}

const live = (page: Page) => page.getByText('Live: changes show by themselves.').waitFor();

real('names with markup are text, also where the script puts them in', async (t) => {
  const { page, complaints } = await opened(t);
  await live(page);
  t.is(await page.title(), '1 alert: web');
  const named = page.getByText(`WEB${EVIL}`, { exact: true });
  t.deepEqual([await named.count(), await page.locator('main img, main script').count()], [1, 0]);
  t.deepEqual(
    complaints.filter((text) => !text.includes('favicon')),
    [],
  );
});

for (const colorScheme of ['light', 'dark'] as const)
  for (const viewport of [
    { width: 1280, height: 800 },
    { width: 360, height: 640 },
  ])
    real(`axe-core finds no fault, ${colorScheme}, ${viewport.width} wide`, async (t) => {
      const { page } = await opened(t, { colorScheme, viewport });
      await live(page);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate<AxeResults>('axe.run()');
      t.deepEqual(
        violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]?.html}`),
        [],
      );
      // Nothing but a table's own frame is wider than the screen.
      const wide = 'document.documentElement.scrollWidth';
      t.is(await page.evaluate(wide), viewport.width);
    });

real('without script it is a whole page that says so', async (t) => {
  const { page, complaints } = await opened(t, { javaScriptEnabled: false });
  t.deepEqual(
    [
      await page.locator('#live').textContent(),
      await page.locator('#servers tbody th[scope=row]').count(),
      complaints,
    ],
    ['This page is as it was asked for; reload it to see what is now.', 3, []],
  );
});

real('an agent that has gone is told, and what was stays readable', async (t) => {
  const { page } = await opened(t);
  await live(page);
  stop();
  await page.getByText('No connection to the agent').waitFor();
  t.is(await page.locator('#servers tbody th[scope=row]').count(), 3);
});
