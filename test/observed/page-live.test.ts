import ava from 'ava';
import type { Page } from 'playwright-core';
import { installedChromium, startBrowser } from '../lab/browser.ts';
import { proxyctl } from '../lab/client.ts';
import { inside, labMissing } from '../lab/lab.ts';
import { calm, exitOf, fault, nodeAt, scene, eventually } from '../pair/scene.ts';

// A real Chromium in the client's place looks at the page of the first node's agent.
const { test, lab } = scene({ web: true });
const installed = installedChromium() !== null;
const real = installed ? test : ava.serial.skip;

let running: Awaited<ReturnType<typeof startBrowser>> | null = null;
let page: Page | null = null;
const shown = (): Page => {
  if (page === null) throw new Error('no browser runs');
  return page;
};

ava.serial.before('a browser looks at the page', async () => {
  if (!installed || labMissing() !== null) return;
  await calm(lab());
  running = await startBrowser(inside(lab(), 'client', []));
  page = await running.browser.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(`http://${nodeAt(lab(), 0).address4}:7663/`);
  await page.getByText('Live: changes show by themselves.').waitFor();
  // What only this document knows: a page that was loaded again has lost it.
  await page.evaluate('globalThis.loadedOnce = true');
});

ava.serial.after.always('the browser ends', async () => {
  await running?.close();
});

/** The cells of the first row of a section that begins with this name, once one of them is `wanted`. */
async function row(section: string, name: string, wanted: string): Promise<string[]> {
  const found = shown()
    .locator(`#${section} tbody tr`)
    .filter({ has: shown().locator('th', { hasText: name }) })
    .filter({ hasText: wanted })
    .first();
  await found.waitFor();
  return found.locator('td').allInnerTexts();
}

real('a failover moves on the page without a reload, and is in its events', async (t) => {
  const to = nodeAt(lab(), 1).name;
  t.is((await row('addresses', '1@vtnet0', 'MASTER'))[1], nodeAt(lab(), 0).name);
  const reason = `<b>why</b> & "who"`;
  t.is((await proxyctl(lab(), ['failover', '--to', to, '--reason', reason])).code, 0);
  const [, owner, , , pin] = await row('addresses', '1@vtnet0', reason);
  t.is(owner, to);
  t.true(pin?.startsWith(`${to}, `));
  // The wish is shown a moment before the states that follow from it.
  await eventually('the states have moved on the page', async () => {
    const [, , ...states] = await row('addresses', '1@vtnet0', reason);
    const words = states.slice(0, 2).map((one) => /\w+/.exec(one)?.[0]);
    return words.join() === 'BACKUP,MASTER';
  });
  await shown().locator('#events tbody tr').filter({ hasText: 'failover' }).first().waitFor();
  t.is(await shown().locator('main b').count(), 0);
  t.is(await exitOf(lab(), 'failback'), 0);
  await calm(lab());
  t.true(await shown().evaluate('globalThis.loadedOnce === true'));
});

real('a drain and a dead HAProxy are seen on the node they are on, and end', async (t) => {
  await row('servers', 'web1', 'UP');
  t.is(await exitOf(lab(), 'drain', 'WEB/web1'), 0);
  const cells = await row('servers', 'web1', 'drain');
  t.deepEqual([cells[0], cells[5]], ['drain', 'drain']);
  t.is(await exitOf(lab(), 'ready', 'WEB/web1'), 0);
  await row('servers', 'web1', 'UP');
  const dead = nodeAt(lab(), 1);
  await fault(lab(), 'kill-haproxy', 'on', dead);
  await row('nodes', dead.name, 'down');
  await shown().locator('#alerts tbody tr').filter({ hasText: 'haproxy-down' }).first().waitFor();
  await fault(lab(), 'kill-haproxy', 'off', dead);
  await row('nodes', dead.name, 'serving');
  await calm(lab());
  await shown().getByText('There is no alert.').waitFor();
  t.true(await shown().evaluate('globalThis.loadedOnce === true'));
});
