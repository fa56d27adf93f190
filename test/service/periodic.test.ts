import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ran, type Ran } from '../lab/client.ts';
import { CHECKOUT } from '../lab/plan.ts';

/** Runs the script where `proxyctl` prints that and ends with `code`. */
async function daily(
  t: ExecutionContext,
  settings: Readonly<Record<string, string>>,
  printed: string,
  code = 0,
): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-periodic-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'said'), printed);
  const proxyctl = join(folder, 'proxyctl');
  writeFileSync(proxyctl, `#!/bin/sh\ncat ${folder}/said\nexit ${code}\n`);
  chmodSync(proxyctl, 0o755);
  const script = join(folder, 'daily');
  const text = readFileSync(join(CHECKOUT, 'packaging/periodic/450.proxyctl-certificates'), 'utf8');
  writeFileSync(
    script,
    text
      .replaceAll('/usr/local/bin/proxyctl', proxyctl)
      .replaceAll('/usr/local/bin/node', process.execPath),
  );
  const env = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [`daily_proxyctl_certificates_${key}`, value]),
  );
  return ran(['dash', script], { ...process.env, ...env });
}

const verified = (
  days: readonly (number | null)[],
  findings: readonly unknown[] = [],
  away: readonly string[] = [],
): string =>
  JSON.stringify({
    result: {
      certificates: days.map((left, at) => ({
        node: `haproxy0${at + 1}`,
        path: '/usr/local/etc/ssl/www.pem',
        days_left: left,
      })),
      findings,
    },
    nodes: [
      { node: 'haproxy01', ok: true, changed: false },
      ...away.map((node) => ({ node, ok: false, error: { message: 'it does not answer' } })),
    ],
  });

test('off by default: nothing is printed', async (t) => {
  t.deepEqual(await daily(t, {}, verified([1])), { code: 0, stdout: '', stderr: '' });
});

test('what ends soon is named, soonest first, and the exit code is 3', async (t) => {
  t.deepEqual(await daily(t, { enable: 'YES' }, verified([12, -4])), {
    code: 3,
    stdout: `
Certificates of the pair that end within 30 days:
haproxy02  ended  /usr/local/etc/ssl/www.pem
haproxy01  12 days  /usr/local/etc/ssl/www.pem
`,
    stderr: '',
  });
});

test('nothing that ends soon: exit code 0', async (t) => {
  const { code, stdout } = await daily(t, { enable: 'YES', days: '5' }, verified([12, 40]));
  t.deepEqual({ code, last: stdout.trim().split('\n').at(-1) }, { code: 0, last: 'none of 2' });
});

test('no agent is 3, a number of days that is none is 2', async (t) => {
  const away = await daily(t, { enable: 'YES' }, 'no agent answers', 10);
  t.deepEqual([away.code, /no agent answers/.test(away.stdout)], [3, true]);
  const bad = await daily(t, { enable: 'YES', days: 'x' }, verified([1]));
  t.deepEqual([bad.code, /days="x": must be a number/.test(bad.stdout)], [2, true]);
});

test('what cert verify finds is told as well, and a node that was not asked: exit code 3', async (t) => {
  const differs = { id: 'disk', node: 'haproxy02', name: 'www', text: 'the file is another one' };
  // An expired one stands among those that end soon already.
  const ended = { id: 'expired', node: 'haproxy01', name: 'www', text: 'it ended 1 day ago' };
  const printed = `proxyctl: haproxy01 is passed over\n${verified([-1, 0, 1, null], [differs, ended], ['haproxy03'])}`;
  t.deepEqual(await daily(t, { enable: 'YES' }, printed, 3), {
    code: 3,
    stdout: `
Certificates of the pair that end within 30 days:
haproxy01  ended  /usr/local/etc/ssl/www.pem
haproxy02  today  /usr/local/etc/ssl/www.pem
haproxy04  unknown  /usr/local/etc/ssl/www.pem
haproxy03  1 day  /usr/local/etc/ssl/www.pem

Not as it should be (proxyctl cert verify):
haproxy03  not asked: it does not answer
haproxy02  www: the file is another one
`,
    stderr: '',
  });
});

test('nothing ends soon and something differs: exit code 3', async (t) => {
  const differs = { id: 'peer', node: 'haproxy01', name: 'www', text: 'haproxy02 has another one' };
  const { code, stdout } = await daily(t, { enable: 'YES' }, verified([90], [differs]), 3);
  t.deepEqual(
    [code, stdout.split('\n').slice(2, -1)],
    [
      3,
      [
        'none of 1',
        '',
        'Not as it should be (proxyctl cert verify):',
        'haproxy01  www: haproxy02 has another one',
      ],
    ],
  );
});
