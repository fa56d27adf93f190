import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ran, type Ran } from '../lab/client.ts';
import { CHECKOUT } from '../lab/plan.ts';

const DAY_MS = 86_400_000;

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

const status = (...days: readonly number[]): string =>
  JSON.stringify({
    result: {
      nodes: days.map((left, at) => ({
        node: `haproxy0${at + 1}`,
        certificates: [
          {
            path: '/usr/local/etc/ssl/www.pem',
            not_after: new Date(Date.now() + (left + 0.5) * DAY_MS).toISOString(),
          },
        ],
      })),
    },
  });

test('off by default: nothing is printed', async (t) => {
  t.deepEqual(await daily(t, {}, status(1)), { code: 0, stdout: '', stderr: '' });
});

test('what ends soon is named, soonest first, and the exit code is 3', async (t) => {
  t.deepEqual(await daily(t, { enable: 'YES' }, status(12, -3)), {
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
  const { code, stdout } = await daily(t, { enable: 'YES', days: '5' }, status(12, 40));
  t.deepEqual({ code, last: stdout.trim().split('\n').at(-1) }, { code: 0, last: 'none of 2' });
});

test('no agent is 3, a number of days that is none is 2', async (t) => {
  const away = await daily(t, { enable: 'YES' }, 'no agent answers', 10);
  t.deepEqual([away.code, /no agent answers/.test(away.stdout)], [3, true]);
  const bad = await daily(t, { enable: 'YES', days: 'x' }, status(1));
  t.deepEqual([bad.code, /days="x": must be a number/.test(bad.stdout)], [2, true]);
});
