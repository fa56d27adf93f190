import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ava, { type ExecutionContext } from 'ava';
import { AT_ONCE, clients, furnish, NOT_RUN, prepare, takenForDone, type } from '../guide/stage.ts';
import { page, typedIn, type Typed } from '../guide/typed.ts';
import { newSite } from '../lab/certificates.ts';
import { ran, served } from '../lab/client.ts';
import { laptopFolder } from '../lab/from-setup.ts';
import { inside, labAgent, labMissing, labOrder } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import type { LabNode } from '../lab/report.ts';
import {
  adminState,
  asAtFirst,
  calm,
  exitOf,
  fault,
  masters,
  nodeAt,
  nodeNow,
  scene,
} from '../pair/scene.ts';

// Each runbook, line by line as it stands on its page, while clients ask all the time.
const { test, lab } = scene({ setup: true });
const DRAIN = 8;

interface Runbook {
  /** Planned moves, each of which cuts what is on its way; without one nothing is cut. */
  readonly moves: number;
  readonly before?: () => Promise<void>;
  /** What happens before a line is typed. */
  readonly at?: Readonly<Record<string, () => Promise<void> | void>>;
  /** Codes other than 0 that the page announces. */
  readonly exits?: Readonly<Record<string, number>>;
  readonly after?: (t: ExecutionContext) => Promise<void>;
}

const laptop = (line: string): Typed => ({ place: 'laptop', line, section: '' });
const onLaptop = (path: string): string => join(laptopFolder(lab().runtime), path);
const onHost = (node: LabNode, path: string): string => join(dirname(node.log), 'root', path);
const haproxyConf = (node: LabNode): string => onHost(node, 'usr/local/etc/haproxy.conf');

async function typed(t: ExecutionContext, command: Typed, code = 0): Promise<void> {
  const done = await type(lab(), command);
  t.is(done.code, code, `${command.place}: ${command.line}\n${done.stdout}${done.stderr}`);
  if (done.code !== code) throw new Error('the rest is not typed');
}

/** The pids of what runs on both hosts. */
const pids = async (of: 'haproxy_pid' | 'carp_pid' | 'agent_pid'): Promise<unknown[]> => {
  const both = await Promise.all([nodeNow(lab(), 0), nodeNow(lab(), 1)]);
  return both.map((node) => node[of]);
};

let before: unknown[] = [];
const remember = (of: Parameters<typeof pids>[0]) => async (): Promise<void> => {
  before = await pids(of);
};
const others = (of: Parameters<typeof pids>[0]) => async (t: ExecutionContext) => {
  const now = await pids(of);
  t.deepEqual(
    now.map((pid, at) => pid !== before[at] && pid !== null),
    [true, true],
  );
};

/** What a laptop has that somebody took: the files of an operator as they are now. */
const taken = (): string => join(lab().runtime, 'taken');
const withTaken = (): Promise<number> => {
  const argv = [
    process.execPath,
    lab().proxyctl,
    'status',
    '--config',
    join(taken(), 'config.toml'),
  ];
  return ran(inside(lab(), 'client', argv)).then(({ code }) => code);
};
function steal(): void {
  rmSync(taken(), { recursive: true, force: true });
  cpSync(onLaptop('.config/proxyctl'), taken(), { recursive: true });
}

const RUNBOOKS: Readonly<Record<string, Runbook>> = {
  'upgrade-haproxy': { moves: 2, before: remember('haproxy_pid'), after: others('haproxy_pid') },
  'rollback-haproxy': {
    moves: 2,
    before: async () => {
      for (const node of lab().nodes) {
        cpSync(haproxyConf(node), `${haproxyConf(node)}.old`);
        writeFileSync(haproxyConf(node), '# the last change\n', { flag: 'a' });
      }
      await remember('haproxy_pid')();
    },
    after: async (t) => {
      for (const node of lab().nodes)
        t.notRegex(readFileSync(haproxyConf(node), 'utf8'), /the last change/);
      await others('haproxy_pid')(t);
    },
  },
  'upgrade-freebsd': { moves: 2, before: remember('carp_pid'), after: others('carp_pid') },
  'upgrade-proxyctl': {
    moves: 0,
    before: async () => {
      const [older = ''] = readdirSync(join(CHECKOUT, 'test/fixtures/agents')).flatMap(
        (name) => /^proxyagent-(\w+)\./.exec(name)?.[1] ?? [],
      );
      for (const { name } of lab().nodes) await labAgent(lab(), name, { older });
      await calm(lab());
    },
    after: async (t) => {
      const both = await Promise.all([nodeNow(lab(), 0), nodeNow(lab(), 1)]);
      t.deepEqual(
        both.map(({ agent }) => agent),
        [null, null],
      );
    },
  },
  'renew-certificate': {
    moves: 0,
    exits: { 'proxyctl cert push www.pem --dry-run': 3 },
    before: async () => {
      const site = await newSite(60);
      writeFileSync(onLaptop('www.pem'), site, { mode: 0o600 });
      before = [await served(lab(), lab().vip4)];
    },
    after: async (t) => {
      t.deepEqual([await served(lab(), lab().vip4)], before);
    },
  },
  backup: {
    moves: 0,
    at: {
      'tar -xpzf haproxy02.tgz -C / usr/local/etc/haproxy.conf usr/local/etc/proxyctl': () => {
        const node = nodeAt(lab(), 1);
        writeFileSync(haproxyConf(node), 'lost\n');
        rmSync(onHost(node, 'usr/local/etc/proxyctl/tls'), { recursive: true });
      },
      'tar -xzf web.tgz': () => {
        for (const name of ['web', '.config']) rmSync(onLaptop(name), { recursive: true });
      },
    },
    after: async (t) => {
      t.regex(readFileSync(haproxyConf(nodeAt(lab(), 1)), 'utf8'), /^# haproxy\.conf, written by/);
    },
  },
  'carp-password': {
    moves: 0,
    before: async () => {
      const answers = readFileSync(onLaptop('answers.toml'), 'utf8');
      writeFileSync(onLaptop('answers.toml'), `password = "NineteenCharacters1"\n${answers}`);
    },
    after: async (t) => {
      for (const node of lab().nodes)
        t.is(
          readFileSync(onHost(node, 'etc/rc.conf'), 'utf8').split('NineteenCharacters1').length,
          3,
        );
      t.deepEqual(await masters(lab()), [nodeAt(lab(), 0).name]);
    },
  },
  'lost-laptop': {
    moves: 0,
    before: async () => {
      steal();
      const answers = readFileSync(onLaptop('answers.toml'), 'utf8');
      const ben = '[[operator]]\nname = "ben"\nrole = "admin"\n';
      writeFileSync(onLaptop('answers.toml'), `${answers}\n${ben}`);
      for (const line of [
        'proxyctl setup answers.toml --out web',
        'proxyctl context import web/operators/ben',
      ])
        await type(lab(), laptop(line));
    },
    after: async (t) => {
      t.not(await withTaken(), 0);
    },
  },
  'replace-host': {
    moves: 0,
    before: async () => {
      const dead = nodeAt(lab(), 1);
      await exitOf(lab(), 'drain', 'WEB/web2');
      for (const what of ['kill-agent', 'kill-haproxy', 'kill-carp'])
        await fault(lab(), what, 'on', dead);
      rmSync(onHost(dead, ''), { recursive: true });
      for (const name of readdirSync(dead.state_dir))
        rmSync(join(dead.state_dir, name), { recursive: true });
      furnish(dead);
    },
    at: {
      // The new machine runs; the kernel of the lab begins with the vhids of rc.conf.
      'sysctl net.inet.carp.preempt=0': async () => {
        await labOrder(lab().name, { op: 'config', node: nodeAt(lab(), 1).name });
        await fault(lab(), 'kill-carp', 'off', nodeAt(lab(), 1));
      },
    },
    exits: { 'proxyctl pki revoke haproxy02 --dir web/pki': 6 },
    after: async (t) => {
      t.is(await adminState(nodeAt(lab(), 1), 'WEB/web2'), DRAIN);
      t.is(await exitOf(lab(), 'ready', 'WEB/web2'), 0);
    },
  },
  'rotate-ca': {
    moves: 0,
    before: async () => steal(),
    after: async (t) => {
      t.not(await withTaken(), 0);
    },
  },
  'add-address': {
    moves: 0,
    before: async () => {
      const [, block = ''] = /```toml\n([^]*?)```/.exec(page('docs/runbooks/add-address.md')) ?? [];
      writeFileSync(onLaptop('answers.toml'), `\n${block}`, { flag: 'a' });
    },
    after: async (t) => {
      const asking = clients(lab(), '10.1.60.210');
      await typed(t, laptop('sleep 1'));
      const { asked, cut, by } = await asking.end();
      t.deepEqual([cut, by], [0, { haproxy01: asked }]);
    },
  },
};

ava.serial.before('the laptop has the context that setup made', async (t) => {
  if (labMissing() !== null) return;
  prepare(lab());
  await typed(t, laptop('proxyctl context import web/operators/anna'));
});

for (const [name, book] of Object.entries(RUNBOOKS)) {
  test(`${name}: every line ends as the page says, and ${book.moves === 0 ? 'no request is cut' : 'what a move cuts is answered when asked again'}`, async (t) => {
    t.timeout(170_000);
    await asAtFirst(lab());
    await book.before?.();
    const asking = clients(lab());
    for (const command of typedIn(page(`docs/runbooks/${name}.md`))) {
      await book.at?.[command.line]?.();
      await typed(t, command, book.exits?.[command.line]);
    }
    await asAtFirst(lab());
    const seen = await asking.end();
    t.log(`of ${seen.asked} requests ${seen.cut} were cut, ${seen.failed} failed when asked again`);
    await book.after?.(t);
    t.true(seen.asked > 20);
    t.is(seen.failed, 0, JSON.stringify(seen));
    t.true(seen.cut <= book.moves * AT_ONCE, JSON.stringify(seen));
  });
}

test('every runbook is run, and of its lines only what is named is taken for done', (t) => {
  const there = readdirSync(join(CHECKOUT, 'docs/runbooks')).flatMap(
    (file) => /^([a-z-]+)\.md$/.exec(file)?.[1] ?? [],
  );
  t.deepEqual(Object.keys(RUNBOOKS).sort(), there.sort());
  const unnamed = takenForDone(lab()).filter(
    (line) => !Object.keys(NOT_RUN).some((start) => line.startsWith(start)),
  );
  t.deepEqual(unnamed, []);
});
