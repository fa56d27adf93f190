import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import ava, { type ExecutionContext } from 'ava';
import { servedFingerprint } from '../../agent/certs/handshake.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { HAPROXY_3 } from '../haproxy/haproxy.ts';
import { bundle, issue, type Issued } from './bundles.ts';
import { prepareOf, realHost, type RealHost } from './real-host.ts';

const site = (...names: string[]): Promise<Issued> => issue({ subject: `CN=${names[0]}`, names });
const LIST = '# ours\nFOLDER/b.pem [alpn h2,http/1.1]\n\nFOLDER/a.pem alias.test\n';

interface Start {
  readonly host: RealHost;
  readonly first: Issued;
  readonly fresh: Issued;
}

async function start(t: ExecutionContext, program?: string): Promise<Start> {
  const [first, second, fresh] = [await site('b.test'), await site('a.test'), await site('c.test')];
  const host = await realHost(t, {
    files: { 'b.pem': bundle(first), 'a.pem': bundle(second), list: LIST },
    binds: ['crt-list FOLDER/list'],
    ...(program === undefined ? {} : { program }),
  });
  return { host, first, fresh };
}

const shown = ({ ports }: RealHost, servername: string): Promise<string> =>
  servedFingerprint({ host: '127.0.0.1', port: ports[0] ?? 0, servername, timeoutMs: 5000 });

const listed = async ({ ask, at }: RealHost): Promise<string[]> =>
  (await ask(`show ssl crt-list ${at('list')}`)).replaceAll(at(''), '').trim().split('\n');

const into = (host: RealHost, filters: readonly string[] = []) => ({
  list: host.at('list'),
  filters,
});

const HAPROXYS = [
  { title: 'HAProxy', test: ava, program: undefined },
  HAPROXY_3 === ''
    ? { title: 'HAProxy 3 (HAPROXY_3 names none)', test: ava.skip, program: undefined }
    : { title: 'HAProxy 3', test: ava, program: HAPROXY_3 },
];

for (const { title, test, program } of HAPROXYS) {
  test(`${title}: a new certificate is served by its names, and after a restart too`, async (t) => {
    const { host, first, fresh } = await start(t, program);
    t.is(await shown(host, 'c.test'), first.sha1);
    const before = host.text('list');
    const said = await host.push([{ path: null, pem: bundle(fresh), into: into(host) }]);
    const path = host.at('c.test.pem');
    t.deepEqual(
      said.certificates.map((one) => [one.path, one.fingerprintBefore, one.warnings]),
      [[path, '', []]],
    );
    const there = [fresh.sha1, fresh.sha1, fresh.sha1];
    t.deepEqual((await host.everywhere())['c.test.pem'], there);
    t.is(await shown(host, 'c.test'), fresh.sha1);
    t.is(host.mode('c.test.pem'), '600');
    t.is(host.text('list'), `${before}${path}\n`);
    await host.restart();
    t.deepEqual((await host.everywhere())['c.test.pem'], there);
  });

  test(`${title}: aborted after its commit, nothing of it is left`, async (t) => {
    const { host, first, fresh } = await start(t, program);
    const before = [host.text('list'), await listed(host), await host.everywhere()];
    const filters = ['www.c.test', '*.d.test', '!x.d.test'];
    const bundles = [{ path: null, pem: bundle(fresh), into: into(host, filters) }];
    const said = await host.swap.prepare(prepareOf('s', bundles));
    t.deepEqual(said.certificates[0]?.warnings, [
      'it is not valid for www.c.test',
      'it is not valid for *.d.test',
    ]);
    await host.swap.commit('s');
    t.is(await shown(host, 'www.c.test'), fresh.sha1);
    t.is(await shown(host, 'y.d.test'), fresh.sha1);
    t.is(await shown(host, 'x.d.test'), first.sha1);
    await host.swap.abort('s');
    t.deepEqual([host.text('list'), await listed(host), await host.everywhere()], before);
    t.is(await shown(host, 'www.c.test'), first.sha1);
    t.deepEqual(readdirSync(host.at('')).sort(), [
      'a.pem',
      'a.sock',
      'b.pem',
      'haproxy.conf',
      'list',
      'swaps',
    ]);
    t.deepEqual(await host.parts.journal.read(), { entries: [], damaged: [] });
    t.is(await host.parts.haproxy.openTransaction(), null);
  });
}

ava('pushed again it is replaced, and the list keeps its one line', async (t) => {
  const { host, fresh } = await start(t);
  await host.push([{ path: null, pem: bundle(fresh), into: into(host) }]);
  const list = host.text('list');
  const renewed = await site('c.test');
  const said = await host.push([{ path: null, pem: bundle(renewed), into: into(host) }]);
  t.deepEqual(said.certificates[0]?.warnings, [
    'the list has it already: replaced, the line stays as it is',
  ]);
  t.is(host.text('list'), list);
  t.is(await shown(host, 'c.test'), renewed.sha1);
});

ava('a dry run changes nothing, and says by whom a name is served already', async (t) => {
  const { host } = await start(t);
  const before = [host.text('list'), await listed(host), await host.everywhere()];
  const both = await site('alias.test', 'c.test');
  const bundles = [{ path: host.at('new.pem'), pem: bundle(both), into: into(host) }];
  const said = await host.swap.prepare({ ...prepareOf('s', bundles), dryRun: true });
  t.deepEqual(said.certificates[0]?.warnings, [`alias.test is served by ${host.at('a.pem')} too`]);
  t.deepEqual([host.text('list'), await listed(host), await host.everywhere()], before);
  t.false(existsSync(host.at('new.pem')));
});

ava('what cannot be added is refused with the reason, and nothing is touched', async (t) => {
  const { host, fresh } = await start(t);
  writeFileSync(host.at('there.pem'), 'mine');
  const before = [host.text('list'), await listed(host), await host.everywhere()];
  const pem = bundle(fresh);
  const refused = async (
    path: string | null,
    list: string,
    filters: readonly string[] = [],
  ): Promise<string> => {
    const bundles = [{ path, pem, into: { list, filters } }];
    const error = await t.throwsAsync(host.swap.prepare(prepareOf('s', bundles)), {
      instanceOf: ActFailure,
    });
    const { code, message, cause } = error.detail;
    return `${code}: ${message}: ${cause}`.replaceAll(`${host.at('')}/`, '');
  };
  const list = host.at('list');
  t.deepEqual(
    [
      await refused(null, '/nowhere'),
      await refused(host.at('there.pem'), list),
      await refused('relative.pem', list),
      await refused(host.at('x y.pem'), list),
      await refused(null, list, ['[alpn']),
      await refused(host.at('no/such/folder.pem'), list),
    ],
    [
      'list_unknown: HAProxy on n1 uses no crt-list /nowhere: it uses: list',
      'file_exists: there.pem on n1 is there already with other content: HAProxy has not loaded it, and nothing of somebody else is overwritten',
      'path_not_plain: relative.pem: a new certificate needs a plain absolute path: letters, digits and ._+%=,@- stand in a crt-list as they are',
      'path_not_plain: x y.pem: a new certificate needs a plain absolute path: letters, digits and ._+%=,@- stand in a crt-list as they are',
      'bad_filter: [alpn: not a server name: a filter is NAME, *.NAME, or either with ! before it',
      'swap_failed: swap no/such/folder.pem on n1: write beside no/such/folder.pem: ENOENT: ',
    ],
  );
  t.deepEqual([host.text('list'), await listed(host), await host.everywhere()], before);
  t.is(await host.parts.haproxy.openTransaction(), null);
});

ava(
  'a directory, a path that is loaded otherwise, and a list that is ahead of HAProxy',
  async (t) => {
    const [first, second, fresh] = [
      await site('b.test'),
      await site('a.test'),
      await site('c.test'),
    ];
    const host = await realHost(t, {
      files: { 'd/b.pem': bundle(first), 'a.pem': bundle(second), list: 'FOLDER/d/b.pem\n' },
      binds: ['crt FOLDER/d/', 'crt FOLDER/a.pem', 'crt-list FOLDER/list'],
    });
    const code = async (path: string, list: string): Promise<string> => {
      const bundles = [{ path: host.at(path), pem: bundle(fresh), into: { list, filters: [] } }];
      const error = await t.throwsAsync(host.swap.prepare(prepareOf('s', bundles)), {
        instanceOf: ActFailure,
      });
      return error.detail.code;
    };
    const codes = [await code('d/c.pem', host.at('d/')), await code('a.pem', host.at('list'))];
    writeFileSync(host.at('list'), `${host.text('list')}${host.at('c.pem')}\n`);
    codes.push(await code('c.pem', host.at('list')));
    t.deepEqual(codes, ['list_is_directory', 'path_loaded', 'list_ahead']);
  },
);
