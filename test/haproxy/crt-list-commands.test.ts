import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ava from 'ava';
import { certificates } from '../../agent/haproxy/certificates.ts';
import { parseEntries } from '../../agent/haproxy/crt-list-commands.ts';
import { RuntimeError } from '../../agent/haproxy/runtime.ts';
import { bundle, issue } from '../certs/bundles.ts';
import { freePorts, HAPROXY_3, runHaproxy, shortFolder } from './haproxy.ts';

ava('the lines of a crt-list as HAProxy 2.6.12 and 3.4 print them', (t) => {
  const text =
    '# /etc/list\n/etc/a.pem:2 [alpn h2,http/1.1\0] a.test !b.a.test\n/etc/b:c.pem:3\n/etc/b:c.pem:5 *.c.test\n\n';
  t.deepEqual(parseEntries(text), [
    { path: '/etc/a.pem', line: 2, filters: ['a.test', '!b.a.test'] },
    { path: '/etc/b:c.pem', line: 3, filters: [] },
    { path: '/etc/b:c.pem', line: 5, filters: ['*.c.test'] },
  ]);
  t.deepEqual(parseEntries("didn't find the specified filename\n\n"), []);
});

const HAPROXYS = [
  { title: 'HAProxy', test: ava, more: {} },
  HAPROXY_3 === ''
    ? { title: 'HAProxy 3 (HAPROXY_3 names none)', test: ava.skip, more: {} }
    : { title: 'HAProxy 3', test: ava, more: { program: HAPROXY_3 } },
];

for (const { title, test, more } of HAPROXYS)
  test(`${title}: a certificate is made, filled, put into a list, and taken back`, async (t) => {
    const folder = shortFolder(t);
    const at = (name: string): string => join(folder, name);
    const issued = await issue({ subject: 'CN=a', names: ['a.test'] });
    writeFileSync(at('a.pem'), bundle(issued));
    writeFileSync(at('list'), `${at('a.pem')} [alpn h2]\n`);
    const [port] = await freePorts(1);
    const lines = [
      `global\n stats socket ${at('s')} level admin`,
      'defaults\n timeout connect 1s\n timeout client 1s\n timeout server 1s',
      `listen l\n bind 127.0.0.1:${port} ssl crt-list ${at('list')}\n server s 127.0.0.1:9\n`,
    ];
    writeFileSync(at('conf'), lines.join('\n'));
    const { ask } = await runHaproxy(t, { config: at('conf'), socketPath: at('s'), ...more });
    const certs = certificates(ask);
    const [list, path] = [at('list'), at('c.pem')];
    const said = async (run: Promise<unknown>): Promise<string> => {
      const error = await t.throwsAsync(run, { instanceOf: RuntimeError });
      return error.message.replaceAll(`${folder}/`, '');
    };
    t.deepEqual(await certs.crtLists(), [list]);
    const first = { path: at('a.pem'), line: 1, filters: [] };
    t.deepEqual(await certs.listed(list), [first]);
    t.deepEqual(await certs.listed('/nowhere'), []);

    await certs.create(path);
    t.is(await said(certs.create(path)), "new ssl cert c.pem: Certificate 'c.pem' already exists!");
    t.is(await certs.loaded(path), null);
    t.regex(await said(certs.addToList(list, path)), /is empty!/);
    await certs.stage(path, bundle(issued));
    await certs.commit(path);
    await certs.addToList(list, `${path} c.test !x.c.test`);
    await certs.addToList(list, path);
    const [, one, two] = await certs.listed(list);
    t.deepEqual([one?.filters, two?.filters], [['c.test', '!x.c.test'], []]);
    t.regex(await said(certs.drop(path)), /in use, can't be deleted!/);

    for (const entry of [one, two]) if (entry) await certs.removeFromList(list, entry);
    if (two) t.regex(await said(certs.removeFromList(list, two)), /can't be found in crt-list/);
    await certs.drop(path);
    t.regex(await said(certs.drop(path)), /doesn't exist!/);
    t.deepEqual([await certs.paths(), await certs.listed(list)], [[at('a.pem')], [first]]);
  });
