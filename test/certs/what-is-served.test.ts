import test from 'ava';
import type { SwapReading } from '../../agent/core/certs/swap-messages.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { servedFingerprint } from '../../agent/certs/handshake.ts';
import { askListener } from '../../agent/certs/listeners.ts';
import { inspect } from '../../agent/certs/inspect.ts';
import { freePorts } from '../haproxy/haproxy.ts';
import { bundle, issue, type Issued } from './bundles.ts';
import { prepareOf, realHost, type RealHost } from './real-host.ts';

const site = (...names: string[]): Promise<Issued> => issue({ subject: `CN=${names[0]}`, names });
const apex = (): Promise<Issued> => site('shop.test', 'www.shop.test');
const wild = (): Promise<Issued> => site('shop.test', '*.shop.test');
const NAMES = ['shop.test', 'www.shop.test', 'x.shop.test'];

const shown = (host: RealHost, names: readonly string[], listener = 0): Promise<string[]> =>
  Promise.all(
    names.map((servername) =>
      servedFingerprint({
        host: '127.0.0.1',
        port: host.ports[listener] ?? 0,
        servername,
        timeoutMs: 5000,
      }),
    ),
  );
/** What a push says of each listener once it is done. */
async function pushed(host: RealHost, pems: Record<string, string>): Promise<SwapReading> {
  const bundles = Object.entries(pems).map(([name, pem]) => ({ path: host.at(name), pem }));
  const swapId = `p${Object.keys(pems).join('').replaceAll(/\W/g, '')}`;
  await host.swap.prepare(prepareOf(swapId, bundles));
  const said = await host.swap.commit(swapId);
  await host.swap.finish(swapId);
  return said;
}
const checksOf = ({ certificates }: SwapReading) =>
  certificates.map(({ checks = [] }) =>
    checks.map(({ listener, verified, reason }) => [
      listener.replace(/:\d+\)/, ')').replace(/\(127.0.0.1\)/, '(here)'),
      verified,
      reason,
    ]),
  );

test('certificates that share names: each is verified by a name of its own, and no name changes hands', async (t) => {
  const [apex1, wild1, apex2, wild2, apex3, wild3] = [
    await apex(),
    await wild(),
    await apex(),
    await wild(),
    await apex(),
    await wild(),
  ];
  const host = await realHost(t, {
    files: { 'd/apex.pem': bundle(apex1), 'd/wild.pem': bundle(wild1) },
    binds: ['crt FOLDER/d/', 'crt FOLDER/d/wild.pem crt FOLDER/d/apex.pem'],
  });
  const both = [
    [
      ['frontend web (here)', true, ''],
      ['frontend web (here)', true, ''],
    ],
  ];
  t.deepEqual(checksOf(await pushed(host, { 'd/wild.pem': bundle(wild2) })), both);
  t.deepEqual(await shown(host, NAMES), [apex1.sha1, apex1.sha1, wild2.sha1]);
  t.deepEqual(checksOf(await pushed(host, { 'd/apex.pem': bundle(apex2) })), both);
  t.deepEqual(await shown(host, NAMES), [apex2.sha1, apex2.sha1, wild2.sha1]);
  t.deepEqual(
    checksOf(await pushed(host, { 'd/wild.pem': bundle(wild3), 'd/apex.pem': bundle(apex3) })),
    [...both, ...both],
  );
  t.deepEqual(await shown(host, NAMES), [apex3.sha1, apex3.sha1, wild3.sha1]);
});

test('a push that is refused leaves every name of its listeners as it was answered', async (t) => {
  const [apex1, wild1, deep, apex2] = [
    await apex(),
    await wild(),
    await site('deep.test', 'x.shop.test', '*.shop.test'),
    await apex(),
  ];
  let wrong = false;
  const host = await realHost(t, {
    files: { 'd/apex.pem': bundle(apex1), 'd/b.pem': bundle(wild1), 'd/c.pem': bundle(deep) },
    binds: ['crt FOLDER/d/'],
    // The handshake shows something else once: as if a listener had not taken it.
    breaks: (parts) => ({
      ...parts,
      async ask(...question) {
        if (!wrong) return askListener(...question);
        return question[1] === 'www.shop.test' ? 'ff' : askListener(...question);
      },
    }),
  });
  const names = [...NAMES, 'deep.test', 'y.shop.test'];
  const before = await shown(host, names);
  await host.swap.prepare(prepareOf('s1', [{ path: host.at('d/apex.pem'), pem: bundle(apex2) }]));
  wrong = true;
  const failure = await t.throwsAsync(host.swap.commit('s1'), { instanceOf: ActFailure });
  wrong = false;
  t.is(failure.outcome, 'result-unknown');
  await host.swap.abort('s1');
  t.deepEqual(await shown(host, names), before);
  t.deepEqual(await host.swap.open(), { entries: [], damaged: [] });
});

test('an aborted swap that was committed gives back the shared names too', async (t) => {
  const [apex1, wild1, apex2] = [await apex(), await wild(), await apex()];
  const host = await realHost(t, {
    files: { 'd/apex.pem': bundle(apex1), 'd/wild.pem': bundle(wild1) },
    binds: ['crt FOLDER/d/'],
  });
  await host.swap.prepare(prepareOf('s1', [{ path: host.at('d/apex.pem'), pem: bundle(apex2) }]));
  await host.swap.commit('s1');
  await host.swap.abort('s1');
  t.deepEqual(await shown(host, NAMES), [apex1.sha1, apex1.sha1, wild1.sha1]);
});

test('one that is hidden behind others with all its names is pushed and said to be not verified', async (t) => {
  const [one, two, renewed] = [await site('a.test'), await site('a.test'), await site('a.test')];
  const host = await realHost(t, {
    files: { 'a.pem': bundle(one), 'b.pem': bundle(two) },
    binds: ['crt FOLDER/a.pem crt FOLDER/b.pem'],
  });
  t.deepEqual(checksOf(await pushed(host, { 'b.pem': bundle(renewed) })), [
    [['frontend web (here)', false, `its names are answered with ${host.at('a.pem')}`]],
  ]);
  t.deepEqual(await shown(host, ['a.test']), [one.sha1]);
});

test('listeners that want a PROXY header get one; those that cannot be asked are told by name', async (t) => {
  const ca = await issue({ subject: 'CN=ca', ca: true });
  const [port = 0, rules = 0] = await freePorts(2);
  const old = await site('a.test');
  const host = await realHost(t, {
    files: { 'a.pem': bundle(old), 'ca.crt': ca.certificate },
    binds: [
      'crt FOLDER/a.pem accept-proxy',
      'crt FOLDER/a.pem ca-file FOLDER/ca.crt verify required ssl-max-ver TLSv1.2',
    ],
    elsewhere: ['127.0.0.9'],
    more: [
      'frontend acl',
      `    bind 127.0.0.1:${port} ssl crt FOLDER/a.pem`,
      '    tcp-request connection reject unless { src 203.0.113.0/24 }',
      'frontend away',
      `    bind 127.0.0.9:${port} ssl crt FOLDER/a.pem`,
      '    bind abns@hidden ssl crt FOLDER/a.pem',
      '    bind unix@FOLDER/tls.sock accept-proxy ssl crt FOLDER/a.pem',
      'frontend maybe',
      `    bind 127.0.0.1:${rules} ssl crt FOLDER/a.pem`,
      '    tcp-request connection expect-proxy layer4 if { src 127.0.0.0/8 }',
    ],
  });
  const renewed = await site('a.test');
  const [checks = []] = checksOf(await pushed(host, { 'a.pem': bundle(renewed) }));
  t.deepEqual(
    checks.map(([listener, verified, reason]) => [
      String(listener).replace(host.at('tls.sock'), 'FOLDER/tls.sock'),
      verified,
      String(reason).replace(/ \(.*\)$/, ' (WHY)'),
    ]),
    [
      ['frontend web (here)', true, ''],
      ['frontend web (here)', false, 'it wants a client certificate (WHY)'],
      ['frontend acl (here)', false, 'its tcp-request rules refuse this host (WHY)'],
      ['frontend away (127.0.0.9)', false, '127.0.0.9 is on another node now'],
      ['frontend away (abns@hidden)', false, 'abns@hidden cannot be connected to (WHY)'],
      ['frontend away (unix@FOLDER/tls.sock)', true, ''],
      ['frontend maybe (here)', true, ''],
    ],
  );
  const [found] = await inspect(host.parts, [], true);
  t.deepEqual(
    [found?.served, found?.checks?.map(({ verified }) => verified)],
    [renewed.sha1, [true, false, false, false, false, true, true]],
  );
});

test('a client certificate is wanted in TLS 1.3: the certificate shows, and is not called verified', async (t) => {
  const ca = await issue({ subject: 'CN=ca', ca: true });
  const [old, renewed] = [await site('a.test'), await site('a.test')];
  const host = await realHost(t, {
    files: { 'a.pem': bundle(old), 'ca.crt': ca.certificate },
    binds: ['crt FOLDER/a.pem ca-file FOLDER/ca.crt verify required ssl-min-ver TLSv1.3'],
  });
  const not = [
    'frontend web (here)',
    false,
    'it wants a client certificate: it shows this one, and no handshake can be finished',
  ];
  t.deepEqual(checksOf(await pushed(host, { 'a.pem': bundle(renewed) })), [[not]]);
  const [found] = await inspect(host.parts, [], true);
  t.is(found?.served, renewed.sha1);
  t.deepEqual(
    found?.checks?.map(({ verified, reason }) => [verified, reason]),
    [not.slice(1)],
  );
});

test('a listener in another file that HAProxy was started with is known, asked and reported', async (t) => {
  const [port = 0] = await freePorts(1);
  const [a, b, renewed] = [await site('a.test'), await site('b.test'), await site('b.test')];
  const host = await realHost(t, {
    files: {
      'a.pem': bundle(a),
      'b.pem': bundle(b),
      'more.d/10-b.cfg': `frontend second\n    bind 127.0.0.1:${port} ssl crt b.pem\n    http-request return status 200\n`,
      'more.d/.hidden.cfg': 'nonsense\n',
      'more.d/notes.txt': 'nonsense\n',
    },
    global: ['crt-base FOLDER'],
    binds: ['crt a.pem'],
    args: ['-f', 'FOLDER/more.d'],
  });
  t.deepEqual(checksOf(await pushed(host, { 'b.pem': bundle(renewed) })), [
    [['frontend second (here)', true, '']],
  ]);
});

test('a certificate that no bind line of any file names is pushed and never called verified', async (t) => {
  const [a, renewed] = [await site('a.test'), await site('a.test')];
  const host = await realHost(t, {
    files: { 'a.pem': bundle(a) },
    binds: ['crt FOLDER/a.pem'],
    breaks: (parts) => ({ ...parts, listeners: () => Promise.resolve([]) }),
  });
  t.deepEqual(checksOf(await pushed(host, { 'a.pem': bundle(renewed) })), [
    [['', false, 'no listener is known for it: not verified by a TLS handshake']],
  ]);
});
