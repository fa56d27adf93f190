import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ava, { type ExecutionContext } from 'ava';
import type { ActHeader } from '../../agent/core/acts.ts';
import type { ActResult } from '../../agent/core/results.ts';
import { desk, overTls, PROXYCTL } from '../ctl/command.ts';
import { emptyResult } from '../rpc/world.ts';
import { COLLECTION, moduleRunner, pythonMissing } from './python.ts';

// Every module runs proxyctl itself; an agent with scripted verbs answers.
const test = pythonMissing() ? ava.skip : ava;

/** Runs modules; `heard` is what the agent was asked, but for who asked. */
async function modules(t: ExecutionContext, result: Partial<ActResult> = {}) {
  const heard: unknown[] = [];
  const hear = (act: { readonly header: ActHeader }): Promise<ActResult> => {
    const { header, ...asked } = act;
    heard.push({ ...asked, dryRun: header.dryRun, reason: header.reason });
    return Promise.resolve({
      ...emptyResult,
      outcome: header.dryRun ? 'would-change' : 'reached',
      changed: !header.dryRun,
      ...result,
    });
  };
  const { world, config } = await desk(
    t,
    {
      setServers: hear,
      move: hear,
      setMaintenance: hear,
      pushCertificate: hear,
    },
    overTls('admin'),
  );
  return { run: moduleRunner(world.folder, PROXYCTL, config), heard };
}

/** Options of maint with what a plain object of ours may not have: it would be thenable. */
const killing = (more: object): object => ({
  ...more,
  ...(JSON.parse('{ "then": "kill" }') as object),
});
const NAMES = readdirSync(join(COLLECTION, 'plugins/modules')).map((name) => name.slice(0, -3));

test('drain, ready and maint ask for their servers, in check mode for a dry run', async (t) => {
  const { run, heard } = await modules(t);
  const target = ['WEB/web1', 'WEB/web2'];
  const seen = [
    await run('drain', { target, reason: 'disk' }),
    await run('ready', { target }, true),
    await run('maint', killing({ target, wait: true, timeout: '5s' })),
  ];
  t.deepEqual(
    seen.map(({ exit_code: code, changed, failed }) => [code, changed, failed]),
    [
      [0, true, undefined],
      [3, true, undefined],
      [0, true, undefined],
    ],
  );
  const asked = { targets: target, untilMs: null, wait: null, dryRun: false, reason: '' };
  t.deepEqual(heard, [
    { ...asked, state: 'drain', reason: 'disk' },
    { ...asked, state: 'ready', dryRun: true },
    { ...asked, state: 'maint', wait: 'kill' },
  ]);
});

test('failover, failback and maintenance ask for what the task says', async (t) => {
  const { run, heard } = await modules(t);
  const node = 'haproxy01';
  await run('failover', { to: 'haproxy02', vhid: '1' });
  await run('failback', {}, true);
  const on = await run('maintenance', { node, state: 'on' });
  await run('maintenance', { node, state: 'off' });
  const said = { untilMs: null, reason: '' };
  const move = { ...said, toggle: false };
  t.deepEqual(heard, [
    { ...move, addresses: ['1'], to: 'haproxy02', unpin: false, dryRun: false },
    { ...move, addresses: [], to: null, unpin: true, dryRun: true },
    { ...said, node, on: true, dryRun: false },
    { ...said, node, on: false, dryRun: false },
  ]);
  t.deepEqual(on.diff, {
    before: 'haproxy01: maintenance off\n',
    after: 'haproxy01: maintenance on\n',
  });
});

test('what does not go together is refused before proxyctl runs', async (t) => {
  const { run, heard } = await modules(t);
  t.like(await run('maintenance', { node: 'haproxy01', state: 'off', until: '2h' }), {
    failed: true,
    msg: 'until goes with state on alone; remedy: leave it out',
  });
  t.like(await run('drain', killing({ target: ['WEB'] })), {
    failed: true,
    msg: 'then says what happens when wait ends; remedy: wait: true',
  });
  t.like(await run('ready', { target: ['WEB'], executable: '/nowhere/proxyctl' }), {
    failed: true,
    msg: '/nowhere/proxyctl is not on this machine, or may not be run; remedy: install proxyctl here, or say where it is (executable), or which machine has it (delegate_to)',
  });
  t.deepEqual(heard, []);
});

test('a certificate goes through a pipe, and its key is in nothing that comes back', async (t) => {
  const { run, heard } = await modules(t);
  const content = '-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n';
  const told = await run('certificate', { content, as: ['/c/site.pem'] });
  t.like(told, { changed: true, exit_code: 0 });
  t.false(JSON.stringify(told).includes('secret'));
  t.like(heard[0], { bundles: [{ path: '/c/site.pem', pem: content }] });
  const text = readFileSync(join(COLLECTION, 'plugins/modules/certificate.py'), 'utf8');
  t.true(text.includes('"content": {"type": "str", "no_log": True}'));
});

test('wait looks, and is skipped in check mode', async (t) => {
  const { run } = await modules(t);
  t.deepEqual(await run('wait', { for: ['converged'] }, true), {
    skipped: true,
    changed: false,
    msg: 'not waited for in check mode',
  });
  const late = await run('wait', { for: ['serving=nobody'], timeout: '20s' });
  t.like(late, {
    failed: true,
    changed: false,
    msg: 'proxyctl wait, exit 8: there is no node nobody; `proxyctl status` and `proxyctl servers` have the names',
  });
});

ava('each module is documented with all of its options', (t) => {
  t.deepEqual(NAMES.sort(), [
    'certificate',
    'drain',
    'failback',
    'failover',
    'maint',
    'maintenance',
    'ready',
    'wait',
  ]);
  for (const name of NAMES) {
    const text = readFileSync(join(COLLECTION, `plugins/modules/${name}.py`), 'utf8');
    const [, options = ''] = /\noptions:\n([^"]*)"""/.exec(text) ?? [];
    const documented = [...options.matchAll(/^ {2}(\w+):$/gm)].map(([, one]) => one);
    const [, spec = ''] = /argument_spec=dict\(([\s\S]*?)\n {8}\),\n/.exec(text) ?? [];
    const taken = [...spec.matchAll(/(?:^\s+(\w+)=|"(\w+)": )\{/gm)].map(
      ([, one, two]) => one ?? two,
    );
    t.deepEqual(taken, documented, name);
  }
});
