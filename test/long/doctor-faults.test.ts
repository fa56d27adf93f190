import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../../agent/core/doctor/finding.ts';
import { newSite, SITE_NAMES } from '../lab/certificates.ts';
import { proxyctl, ran } from '../lab/client.ts';
import { inside } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import {
  asAtFirst,
  asked,
  calm,
  eventually,
  exitOf,
  fault,
  masters,
  nodeAt,
  scene,
} from '../pair/scene.ts';

/** Each fault alone on haproxy02, and everything doctor says of it. */
const { test, lab } = scene();

const second = () => nodeAt(lab(), 1);
const fileOf = (name: string): string => join(second().tools, '..', name);
const ifconfig = (...words: readonly string[]) =>
  ran([join(second().tools, 'ifconfig'), 'vtnet0', ...words]);

async function findings(): Promise<readonly Finding[]> {
  const { json } = await asked(lab(), 'doctor');
  return json.result?.['findings'] ?? [];
}

/** Without the remedies, which unit tests compare, and figures that differ from run to run. */
const told = (all: readonly Finding[]) =>
  all.map(({ id, severity, nodes, saw }) => ({
    id,
    severity,
    nodes,
    saw: saw.map((text) =>
      text
        .replaceAll(`${fileOf('')}/`, '')
        .replaceAll(/\d+ (CARP )?adverts/g, 'N $1adverts')
        .replaceAll(/in \d+(\.\d+)? s/g, 'in N s'),
    ),
  }));

/** What doctor tells while the fault is there. */
async function withFault(
  plant: () => Promise<unknown>,
  mend: () => Promise<unknown>,
): Promise<ReturnType<typeof told>> {
  await calm(lab());
  await plant();
  try {
    return told(await findings());
  } finally {
    await mend();
  }
}

const bothMaster = (): Promise<void> =>
  eventually('both say MASTER', async () => (await masters(lab())).length === 2);

/** No agent moves or fences anything meanwhile. */
async function paused<T>(during: () => Promise<T>): Promise<T> {
  await exitOf(lab(), 'pause', '--reason', 'a fault is planted');
  try {
    return await during();
  } finally {
    await exitOf(lab(), 'resume');
    await asAtFirst(lab());
  }
}

const BOTH = ['haproxy01', 'haproxy02'];
const BOTH_MASTER = {
  id: 'carp-both-master',
  severity: 'fail',
  nodes: BOTH,
  saw: ['haproxy01 and haproxy02 say MASTER for 1@vtnet0'],
};

test('another password: both discard, both say MASTER', async (t) => {
  const found = await paused(() =>
    withFault(
      async () => {
        await ifconfig('vhid', '1', 'pass', 'another');
        await bothMaster();
      },
      () => ifconfig('vhid', '1', 'pass', 'mekmitasdigoat'),
    ),
  );
  t.deepEqual(found, [
    {
      id: 'carp-authentication',
      severity: 'fail',
      nodes: BOTH,
      saw: BOTH.map(
        (node) => `${node}: N adverts in N s discarded for bad authentication (netstat -s -p carp)`,
      ),
    },
    BOTH_MASTER,
  ]);
});

test('pf drops CARP: the rule, and the counters of both sides', async (t) => {
  const rule = 'block drop in quick proto carp all';
  const found = await paused(() =>
    withFault(
      async () => {
        writeFileSync(fileOf('pf.rules'), `${rule}\npass all keep state\n`);
        await fault(lab(), 'carp-in', 'on', second());
        await bothMaster();
      },
      async () => {
        rmSync(fileOf('pf.rules'));
        await fault(lab(), 'carp-in', 'off', second());
      },
    ),
  );
  t.deepEqual(found, [
    {
      id: 'carp-adverts-lost',
      severity: 'fail',
      nodes: ['haproxy02'],
      saw: [
        'haproxy01 sent N CARP adverts over IPv4 in N s, haproxy02 received 0',
        'haproxy01 sent N CARP adverts over IPv6 in N s, haproxy02 received 0',
        `haproxy02: pf drops proto carp in on vtnet0, inet: ${rule} (pfctl -sr)`,
        `haproxy02: pf drops proto carp in on vtnet0, inet6: ${rule} (pfctl -sr)`,
      ],
    },
    BOTH_MASTER,
  ]);
});

test('adverts that are lost outside pf: the counters alone', async (t) => {
  const found = await paused(() =>
    withFault(
      async () => {
        await fault(lab(), 'carp', 'on', second());
        await bothMaster();
      },
      () => fault(lab(), 'carp', 'off', second()),
    ),
  );
  t.deepEqual(
    found.map(({ id, nodes }) => [id, nodes]),
    [
      ['carp-adverts-lost', BOTH],
      ['carp-both-master', BOTH],
    ],
  );
});

test('equal advskew', async (t) => {
  const found = await withFault(
    async () => {
      await ifconfig('vhid', '1', 'advskew', '0');
      await eventually('the agent takes it for the configured one', async () => {
        const { stdout } = await proxyctl(lab(), ['status', '-o', 'json']);
        return !/"base_advskew":100\b/.test(stdout);
      });
    },
    () => ifconfig('vhid', '1', 'advskew', '100'),
  );
  await asAtFirst(lab());
  t.deepEqual(found, [
    {
      id: 'carp-advskew-equal',
      severity: 'warn',
      nodes: BOTH,
      saw: BOTH.map((node) => `${node}: 1@vtnet0 has advskew 0`),
    },
  ]);
});

test('the addresses under another vhid', async (t) => {
  const { vip4, vip6 } = lab();
  const under = async (vhid: number, family: string, vip: string): Promise<void> => {
    await ifconfig(family, vip, '-alias');
    const settings = ['advskew', '100', 'pass', 'mekmitasdigoat'];
    await ifconfig(family, 'vhid', String(vhid), ...settings, vip, 'alias');
  };
  const both = async (vhid: number): Promise<void> => {
    await under(vhid, 'inet', vip4);
    await under(vhid, 'inet6', vip6);
  };
  const found = await paused(() =>
    withFault(
      async () => {
        await both(2);
        await bothMaster();
      },
      () => both(1),
    ),
  );
  t.deepEqual(found, [
    {
      id: 'carp-vhid',
      severity: 'fail',
      nodes: BOTH,
      saw: [`haproxy01: ${vip4}, ${vip6} under vhid 1`, `haproxy02: ${vip4}, ${vip6} under vhid 2`],
    },
    {
      id: 'alert-redundancy-lost',
      severity: 'warn',
      nodes: ['haproxy01'],
      saw: ['haproxy01: 1@vtnet0: nobody else could take it: automation is paused'],
    },
  ]);
});

test('demotion that nothing explains', async (t) => {
  const demote = (value: string) =>
    ran([join(second().tools, 'sysctl'), `net.inet.carp.demotion=${value}`]);
  const found = await withFault(
    () => demote('20'),
    () => demote('-20'),
  );
  t.deepEqual(found, [
    {
      id: 'carp-demotion',
      severity: 'warn',
      nodes: ['haproxy02'],
      saw: ['haproxy02: net.inet.carp.demotion is 20, 0 is explained (0 vhids in INIT)'],
    },
  ]);
});

/** `change` of a file of haproxy02, for as long as doctor looks. */
const changed = (name: string, change: (path: string) => Promise<void>) =>
  withFault(
    async () => {
      copyFileSync(fileOf(name), fileOf(`${name}.kept`));
      await change(fileOf(name));
    },
    () => Promise.resolve(copyFileSync(fileOf(`${name}.kept`), fileOf(name))),
  );

test('haproxy -c refuses the file: its line', async (t) => {
  const lines = readFileSync(fileOf('haproxy.conf'), 'utf8').split('\n').length;
  const found = await changed('haproxy.conf', async (path) => appendFileSync(path, 'sever oops\n'));
  t.deepEqual(
    found.map(({ id, severity, nodes }) => [id, severity, nodes]),
    [
      ['haproxy-config', 'fail', ['haproxy02']],
      ['haproxy-config-differs', 'warn', BOTH],
    ],
  );
  t.regex(found[0]?.saw[0] ?? '', new RegExp(`haproxy\\.conf:${lines}\\] ?: unknown keyword`));
});

test('a PEM that this HAProxy cannot take while it runs', async (t) => {
  const names = [...SITE_NAMES, ...Array.from({ length: 700 }, (_, at) => `n${at}.example.net`)];
  const found = await changed('site.pem', async (path) =>
    writeFileSync(path, await newSite(60, names)),
  );
  t.deepEqual(
    found.map(({ id, nodes }) => [id, nodes]),
    [['cert-too-large', ['haproxy02']]],
  );
  t.regex(found[0]?.saw[0] ?? '', /site\.pem: \d+ bytes with its command, HAProxy 2\.\S+ takes/);
});

test('a key that belongs to another certificate', async (t) => {
  const found = await changed('site.pem', async (path) => {
    const key = /-----BEGIN PRIVATE KEY-----[^]*/.exec(await newSite(60))?.[0] ?? '';
    const own = readFileSync(path, 'utf8').replace(/-----BEGIN PRIVATE KEY-----[^]*/, '');
    writeFileSync(path, own + key);
  });
  t.deepEqual(
    found.map(({ id, severity, nodes }) => [id, severity, nodes]),
    [
      ['cert-key', 'fail', ['haproxy02']],
      // HAProxy refuses it too.
      ['haproxy-config', 'fail', ['haproxy02']],
    ],
  );
});

test('a name that no certificate covers', async (t) => {
  const names = SITE_NAMES.filter((name) => !name.startsWith('gitea'));
  const found = await changed('site.pem', async (path) =>
    writeFileSync(path, await newSite(60, names)),
  );
  t.deepEqual(
    found.map(({ id, saw }) => [id, saw.map((text) => text.replace(/\.conf:\d+/, '.conf:N'))]),
    [
      [
        'cert-name',
        [
          'haproxy02: haproxy.conf:N: frontend HTTP_frontend serves gitea.example.net, no certificate has it',
        ],
      ],
    ],
  );
});

test('no witness: neither named nor a default gateway', async (t) => {
  await calm(lab());
  const routes = readFileSync(fileOf('text/routes'), 'utf8');
  const toml = readFileSync(fileOf('agent.toml'), 'utf8');
  const restart = async (): Promise<void> => {
    await fault(lab(), 'kill-agent', 'on', second());
    await fault(lab(), 'kill-agent', 'off', second());
    await calm(lab());
  };
  writeFileSync(fileOf('text/routes'), routes.replaceAll(/^default.*\n/gm, ''));
  writeFileSync(fileOf('agent.toml'), toml.replace(/^witness = .*$/m, ''));
  try {
    await restart();
    t.deepEqual(told(await findings()), [
      {
        id: 'witness-missing',
        severity: 'warn',
        nodes: ['haproxy02'],
        saw: ['haproxy02: policy.witness is empty, and no default gateway was found'],
      },
    ]);
  } finally {
    writeFileSync(fileOf('text/routes'), routes);
    writeFileSync(fileOf('agent.toml'), toml);
    await restart();
  }
});

test('an agent of another release', async (t) => {
  const folder = fileOf('other');
  cpSync(join(CHECKOUT, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(CHECKOUT, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(CHECKOUT, 'node_modules'), join(folder, 'node_modules'));
  const version = join(folder, 'dist/agent/version.js');
  writeFileSync(version, readFileSync(version, 'utf8').replace('0.1.0', '0.2.0'));
  await calm(lab());
  await fault(lab(), 'kill-agent', 'on', second());
  const main = join(folder, 'dist/agent/main.js');
  const argv = [process.execPath, main, '--config', fileOf('agent.toml')];
  const [program = '', ...args] = inside(lab(), 'haproxy02', argv);
  const other = spawn(program, args, { stdio: 'ignore' });
  try {
    await calm(lab());
    // Started from outside the lab, it sees other processes than the lab's: it cannot find HAProxy's.
    const found = (await findings()).filter(({ id }) => id !== 'not-seen');
    t.deepEqual(told(found), [
      {
        id: 'agent-version',
        severity: 'warn',
        nodes: BOTH,
        saw: ['haproxy01: proxyagent 0.1.0', 'haproxy02: proxyagent 0.2.0'],
      },
    ]);
  } finally {
    other.kill('SIGTERM');
    await once(other, 'exit');
    await fault(lab(), 'kill-agent', 'off', second());
    rmSync(folder, { recursive: true, force: true });
    await calm(lab());
  }
});

test('nothing is left of all that', async (t) => {
  await asAtFirst(lab());
  t.deepEqual(await findings(), []);
});
