import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ava from 'ava';
import { prepare, takenForDone, type } from '../guide/stage.ts';
import { page, typedIn } from '../guide/typed.ts';
import { newSite } from '../lab/certificates.ts';
import { ran } from '../lab/client.ts';
import { laptopFolder } from '../lab/from-setup.ts';
import { labMissing } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import { advskews, asAtFirst, eventually, fault, labName, masters, scene } from '../pair/scene.ts';

// The card for the night and the README, typed line by line.
const { test, lab } = scene({ setup: true });

ava.serial.before('the laptop has the context that setup made', async () => {
  if (labMissing() !== null) return;
  prepare(lab());
  const line = 'proxyctl context import web/operators/anna';
  await type(lab(), { place: 'laptop', line, section: '' });
  writeFileSync(join(laptopFolder(lab().runtime), 'new.pem'), await newSite(60), { mode: 0o600 });
});

/** What the lines of the card leave behind, where it is worth looking: after the line. */
const THEN: Readonly<Record<string, () => Promise<boolean>>> = {
  'proxyctl failover --to haproxy02 --reason "bad night"': async () =>
    (await masters(lab())).join() === 'haproxy02',
  'proxyctl failback': async () => (await masters(lab())).join() === 'haproxy01',
  'proxyctl maintenance on haproxy01 --reason "bad night"': async () =>
    (await masters(lab())).join() === 'haproxy02',
  'proxyctl maintenance off haproxy01': async () => (await masters(lab())).join() === 'haproxy01',
  'ifconfig vtnet0 vhid 1 advskew 100 state master': async () =>
    (await masters(lab())).join() === 'haproxy02',
  'ifconfig vtnet0 vhid 1 advskew 0 state master': async () =>
    (await masters(lab())).join() === 'haproxy01' && (await advskews(lab())).join() === '0,100',
};

test('each line of the card for the night can be typed, and does what it is for', async (t) => {
  t.timeout(170_000);
  const lines = typedIn(page('docs/night.md'));
  t.true(lines.length > 20);
  for (const command of lines) {
    // From here on no agent answers.
    if (command.line === 'proxyctl failover --by-hand') {
      await asAtFirst(lab());
      // On a terminal each status is remembered; this is none.
      await type(lab(), command);
      await fault(lab(), 'kill-agent', 'on');
    }
    const { code, stdout, stderr } = await type(lab(), command);
    t.is(code, 0, `${command.place}: ${command.line}\n${stdout}${stderr}`);
    const then = THEN[command.line];
    if (then !== undefined) await eventually(command.line, then);
    if (command.line === 'proxyctl failover --by-hand')
      t.regex(stdout, /^ {2}ifconfig vtnet0 vhid 1 advskew 100 state master$/m);
  }
  t.deepEqual(takenForDone(lab()), []);
  await fault(lab(), 'kill-agent', 'off');
  await asAtFirst(lab());
});

const README = page('README.md');
/** The first fence below a heading that has this word in it. */
const fence = (word: string): string =>
  /```\n([^]*?)```/.exec(README.slice(README.indexOf(word)))?.[1] ?? '';

test("README's first commands do what is said beside them", async (t) => {
  const folder = laptopFolder(lab().runtime);
  const lines = fence('## First use')
    .split('\n')
    .flatMap((line) => /^(proxyctl .*?)(?: {2,}|$)/.exec(line)?.[1] ?? []);
  t.is(lines.length, 7);
  // A rehearsal wants everything as it is at rest.
  const isDrill = (line: string): boolean => line.includes(' drill ');
  const back = ['proxyctl failback', 'proxyctl ready WEB/web1'];
  for (const line of [...lines.filter((one) => !isDrill(one)), ...back, ...lines.filter(isDrill)]) {
    const here = line.replace('/root/www.pem', join(folder, 'new.pem'));
    const { code, stdout, stderr } = await type(lab(), {
      place: 'laptop',
      line: here,
      section: '',
    });
    // A dry run says 3 where it would change something.
    t.is(code, line.endsWith('--dry-run') ? 3 : 0, `${line}\n${stdout}${stderr}`);
  }
  await asAtFirst(lab());
});

test("README's lab by hand comes up, is operated and goes down", async (t) => {
  t.timeout(120_000);
  const name = labName();
  // Without the build before each: it would replace the files that run this test.
  const program = `${process.execPath} ${join(CHECKOUT, 'dist/test/lab/main.js')}`;
  const script = fence('Or by hand')
    .replaceAll('npm run -s lab --', program)
    .replaceAll('--name try', `--name ${name}`);
  t.regex(script, /up --name [^]*failover[^]*failback[^]*down --name /);
  const { code, stdout, stderr } = await ran(['sh', '-ec', script], process.env, 110_000);
  t.is(code, 0, `${stdout}${stderr}`);
});
