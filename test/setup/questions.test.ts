import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { PROXYCTL } from '../ctl/command.ts';
import { onTerminal, terminalMissing } from '../ctl/terminal.ts';
import { setupWorld } from './world.ts';

/** Only where python3 can make a terminal. */
const onTty = terminalMissing() ? test.skip : test;

const ANSWERS: readonly (readonly [string, string])[] = [
  ['Name of the pair [web]: ', '\r'],
  ['Host name of the first host, with domain: ', 'haproxy01.example.net\r'],
  ['its interface [vtnet0]: ', 'em0\r'],
  ['its addresses with prefix length, IPv4 and IPv6: ', '10.1.60.201/24 fd5e::201/64\r'],
  ['its default gateways: ', '10.1.60.1\r'],
  ['Host name of the second host, with domain: ', 'haproxy02.example.net\r'],
  ['its interface [em0]: ', '\r'],
  ['its addresses with prefix length, IPv4 and IPv6: ', '10.1.60.202/24, fd5e::202/64\r'],
  ['its default gateways: ', '10.1.60.1\r'],
  ['Addresses that move between them, IPv4 and IPv6: ', '10.1.60.200 fd5e::200\r'],
  ['their vhid, 1 to 255, used by nobody else in this network [1]: ', '7\r'],
  ['Your name, for the certificate of your laptop [admin]: ', 'anna\r'],
  ['Networks from which you operate (ssh and the agents): ', '10.1.20.0/24\r'],
  ['PEM file HAProxy serves [/usr/local/etc/ssl/haproxy.pem]: ', '\r'],
  ['Name of a backend: ', 'GITEA\r'],
  ['host names that go there: ', 'gitea.example.net\r'],
  ['its servers, IP:PORT or [IP]:PORT: ', '[fd5e::8]:3000\r'],
  ['TLS to the servers [n]: ', 'y\r'],
  ['Another backend, or nothing: ', '\r'],
];
const ask = (cwd: string, answers: readonly (readonly [string, string])[]) =>
  onTerminal([process.execPath, PROXYCTL, 'setup', '--out', 'web'], cwd, answers);

onTty(
  'questions on a terminal end in both hosts, and in the answers for the next time',
  async (t) => {
    const world = setupWorld(t);
    const { code, screen, left } = await ask(world.folder, ANSWERS);
    t.deepEqual([code, left], [0, []], screen);
    t.is(
      world.read('web/answers.toml'),
      `pair = "web"

[[host]]
name = "haproxy01.example.net"
interface = "em0"
address = ["10.1.60.201/24", "fd5e::201/64"]
gateway = ["10.1.60.1"]

[[host]]
name = "haproxy02.example.net"
interface = "em0"
address = ["10.1.60.202/24", "fd5e::202/64"]
gateway = ["10.1.60.1"]

[[vhid]]
id = 7
vips = ["10.1.60.200", "fd5e::200"]
advskew = { "haproxy01" = 0, "haproxy02" = 100 }

[[operator]]
name = "anna"
role = "admin"

[firewall]
ssh = ["10.1.20.0/24"]
operators = ["10.1.20.0/24"]

[haproxy]
certificate = "/usr/local/etc/ssl/haproxy.pem"

[[backend]]
name = "GITEA"
hosts = ["gitea.example.net"]
servers = ["[fd5e::8]:3000"]
tls = true
`,
    );
    t.is(statSync(world.at('web/answers.toml')).mode & 0o777, 0o600);
    t.regex(world.read('web/haproxy02/etc/rc.conf'), /vhid 7 advskew 100 pass \w{19} alias /);
    const again = await world.run('setup', 'web/answers.toml', '--out', 'web');
    t.deepEqual([again.code, again.stderr], [0, 'Nothing to do: web is as the answers say.\n']);
  },
);

onTty(
  'answers that cannot work: each is said with its line, and nothing but the answers is written',
  async (t) => {
    const world = setupWorld(t);
    const wrong = ANSWERS.map(([prompt, answer]) =>
      answer === '7\r' ? ([prompt, '300\r'] as const) : ([prompt, answer] as const),
    );
    const { code, screen } = await ask(world.folder, wrong);
    t.is(code, 2, screen);
    t.regex(screen, /vhid\.1\.id: must be a whole number from 1 to 255, not 300/);
    t.regex(screen, /^web\/answers\.toml:16: /m);
    t.regex(screen, /^proxyctl: web\/answers\.toml has 1 mistake; nothing else was written$/m);
    t.deepEqual(readdirSync(world.at('web')), ['answers.toml']);
    const mended = world.read('web/answers.toml').replace('id = 300', 'id = 7');
    writeFileSync(world.at('web/answers.toml'), mended);
    t.is((await world.run('setup', 'web/answers.toml', '--out', 'web')).code, 0);
  },
);

onTty('^C and the end of input stop the questions, with nothing written', async (t) => {
  for (const key of ['\u0003', '\u0004']) {
    const world = setupWorld(t);
    const answers = [...ANSWERS.slice(0, 2), ['its interface [vtnet0]: ', key] as const];
    const { code, screen } = await ask(world.folder, answers);
    t.deepEqual([code, screen.includes('silent')], [key === '\u0003' ? 130 : 1, false], screen);
    t.regex(screen, /nothing was written/);
    t.notRegex(screen, /at .*\.(js|cjs):\d+/);
    t.false(existsSync(world.at('web')));
  }
});
