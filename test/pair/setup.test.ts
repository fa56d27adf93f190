import { join } from 'node:path';
import { ran } from '../lab/client.ts';
import { setupFolder } from '../lab/from-setup.ts';
import { inside } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import { asked as doctored, eventually, masters, runtime, scene } from './scene.ts';

/** A pair that runs from what `proxyctl setup` writes for two hosts and eleven services. */
const { test, lab } = scene({ setup: true });

/** GET over HTTPS with that name, as a client outside: status and body. */
const ASK = `
const [address, name] = process.argv.slice(1);
const options = { host: address, servername: name, headers: { host: name }, rejectUnauthorized: false };
require('https').get(options, (answer) => {
  answer.resume().on('end', () => console.log(answer.statusCode));
}).on('error', (error) => { console.log(error.code); });`;

const asked = async (address: string, name: string): Promise<string> => {
  const argv = inside(lab(), 'client', [process.execPath, '-e', ASK, address, name]);
  return (await ran(argv)).stdout.trim();
};

/** proxyctl on the laptop: in the client's namespace, with the files of anna's folder alone. */
const laptop = (...args: readonly string[]) => {
  const config = join(setupFolder(lab().runtime), 'operators/anna/config.toml');
  const argv = [process.execPath, join(CHECKOUT, 'dist/bin/proxyctl.cjs'), ...args];
  return ran(inside(lab(), 'client', argv), { ...process.env, PROXYCTL_CONFIG: config });
};

test('what setup wrote runs: one MASTER, every name answered on both VIPs', async (t) => {
  t.deepEqual(await masters(lab()), ['haproxy01']);
  const { vip4, vip6 } = lab();
  await eventually('all eleven services answer', async () => {
    const names = ['adguard01', 'gitea', 'unifi', 'transmission'];
    const all = await Promise.all(
      [vip4, vip6].flatMap((vip) => names.map((name) => asked(vip, `${name}.example.net`))),
    );
    return all.every((one) => one === '200');
  });
  t.is(await asked(vip4, 'nobody.example.net'), '503');
});

test('doctor finds nothing in what setup wrote', async (t) => {
  const { json } = await doctored(lab(), 'doctor');
  t.deepEqual(json.result?.['findings'], []);
});

test('the laptop asks and moves over mutual TLS with the certificate that setup issued', async (t) => {
  const { code, stdout, stderr } = await laptop('status');
  t.deepEqual([code, stderr], [0, '']);
  t.regex(stdout, /^web: 2 of 2 nodes alive/);
  t.regex(stdout, /^1@wan +10\.1\.60\.200 +\* haproxy01 +MASTER +0 /m);
  const moved = await laptop('failover', '--reason', 'first try');
  t.is(moved.code, 0, moved.stderr);
  t.deepEqual(await masters(lab()), ['haproxy02']);
  t.is(await asked(lab().vip4, 'gitea.example.net'), '200');
});

test('a client of one host is known to the other: its HAProxy has the same entry', async (t) => {
  const table = async (at: number): Promise<string[]> => {
    const node = lab().nodes[at];
    const text = node === undefined ? '' : await runtime(node, 'show table GITEA');
    return [...text.matchAll(/ key=(\S+) .*server_id=(\d+)/g)].map(([, key, id]) => `${key} ${id}`);
  };
  await eventually('both tables are the same and not empty', async () => {
    const [first, second] = [await table(0), await table(1)];
    return first.length > 0 && first.sort().join() === second.sort().join();
  });
  t.true((await table(0)).includes('::ffff:10.1.60.1 1'), (await table(0)).join());
});

test('both hosts carry one password, of nineteen characters, and it is printed nowhere', async (t) => {
  const rcConf = join(setupFolder(lab().runtime), 'haproxy01/etc/rc.conf');
  const { stdout } = await ran(['sed', '-n', 's/.* pass \\([^ ]*\\) .*/\\1/p', rcConf]);
  const [password = '', again] = stdout.split('\n');
  t.regex(password, /^[A-Za-z0-9]{19}$/);
  t.is(again, password);
  const found = await ran(['grep', '-rlF', password, lab().runtime]);
  const files = found.stdout
    .trim()
    .split('\n')
    .map((path) => path.slice(lab().runtime.length + 1));
  t.deepEqual(files.sort(), [
    'haproxy01/carp.json',
    'haproxy01/root/etc/rc.conf',
    'haproxy02/carp.json',
    'haproxy02/root/etc/rc.conf',
    'laptop/web/haproxy01/etc/rc.conf',
    'laptop/web/haproxy02/etc/rc.conf',
  ]);
});
