import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { configFacts } from '../../agent/haproxy/config-facts.ts';
import { configFiles } from '../../agent/haproxy/config-files.ts';
import { backendsAt } from '../../agent/haproxy/config-scan.ts';
import { sectionsOf, type ConfigText } from '../../agent/core/haproxy-config/sections.ts';
import { readSections } from '../../agent/haproxy/config-text.ts';
import { startedWith } from '../../agent/haproxy/started-with.ts';
import { freePorts, runHaproxy, shortFolder } from './haproxy.ts';

const file = (path: string, text: string): ConfigText => ({
  file: path,
  sections: sectionsOf(text, path),
});

test('a second -f and a directory are read as HAProxy has them: each line with its own file', async (t) => {
  const folder = shortFolder(t);
  const at = (name: string): string => join(folder, name);
  const [port = 0] = await freePorts(1);
  mkdirSync(at('d'));
  writeFileSync(
    at('haproxy.conf'),
    `global\n  stats socket ${at('a.sock')} level admin\ndefaults\n  mode http\n` +
      '  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\n',
  );
  writeFileSync(
    at('d/10-web.cfg'),
    `# web\nfrontend web\n  bind 127.0.0.1:${port}\n  default_backend WEB\n` +
      'backend WEB\n  server w1 127.0.0.1:1\n',
  );
  writeFileSync(at('d/20-acme.cfg'), 'backend ACME\n  server a 127.0.0.1:7661\n');
  const { ask } = await runHaproxy(t, {
    config: at('haproxy.conf'),
    socketPath: at('a.sock'),
    args: ['-f', at('d')],
  });
  const { texts, problems } = await configFiles(startedWith({ ask, config: at('haproxy.conf') }))();
  const facts = await configFacts(at('haproxy.conf'), texts, []);
  t.deepEqual(problems, []);
  t.is(facts.path, at('haproxy.conf'));
  t.deepEqual(
    facts.sockets.map(({ line, file }) => [line, file]),
    [[2, undefined]],
  );
  t.deepEqual(
    facts.servers.map(({ backend, name, line, file }) => [backend, name, line, file]),
    [
      ['WEB', 'w1', 6, at('d/10-web.cfg')],
      ['ACME', 'a', 2, at('d/20-acme.cfg')],
    ],
  );
  t.deepEqual([...backendsAt(texts, ['127.0.0.1:7661'])], ['ACME']);
});

test('what follows in another file is no difference of the digest, another line there is', async (t) => {
  const facts = (...texts: string[]) =>
    configFacts(
      '/a',
      texts.map((text, n) => file(n === 0 ? '/a' : `/b${n}`, text)),
      [],
    );
  const [one, two] = ['global\n  daemon\n', 'backend A\n  server a 10.0.0.1:80\n'];
  t.is((await facts(one + two)).digest, (await facts(one, two)).digest);
  t.not(
    (await facts(one, two)).digest,
    (await facts(one, two.replace('10.0.0.1', '10.0.0.2'))).digest,
  );
});

test('every fact that names a line names its file where that is another one', async (t) => {
  const more =
    'frontend tls\n  bind :443 ssl crt /a.pem\n  use_backend A if { hdr(host) -i a.example.net }\n' +
    'frontend plain\n  bind :80\n  use_backend B if { path_beg /.well-known/acme-challenge/ }\n' +
    'backend A\n  stick-table type ip size 1\n  stick on src\n  server a 10.0.0.1:80\n';
  const { sockets, servers, tables, hosts, acme, plain } = await configFacts(
    '/a',
    [file('/a', 'global\n'), file('/b', `global\n  stats socket /s level admin\n${more}`)],
    [],
  );
  t.deepEqual(
    [...sockets, ...servers, ...tables, ...hosts, ...acme, ...(plain === null ? [] : [plain])].map(
      ({ line, file }) => `${file}:${line}`,
    ),
    ['/b:2', '/b:12', '/b:10', '/b:5', '/b:8', '/b:6'],
  );
});

test('a file of 10,000 servers is read in pieces, and says the same', async (t) => {
  const path = join(shortFolder(t), 'haproxy.conf');
  const servers = Array.from({ length: 10_000 }, (_, n) => `  server s${n} 10.0.0.1:80 check\n`);
  const text = `backend A\n${servers.join('')}`;
  writeFileSync(path, text);
  let turns = 0;
  let isReading = true;
  const turn = (): void => {
    turns += 1;
    if (isReading) setImmediate(turn);
  };
  setImmediate(turn);
  const sections = await readSections(path);
  isReading = false;
  t.deepEqual(sections, sectionsOf(text, path));
  t.true(turns >= 20, `${turns} turns`);
});
