import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { certificateFiles } from '../../agent/certs/files.ts';
import { hostCertificates } from '../../agent/certs/host-certificates.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { statsSocket } from '../../agent/haproxy/stats-socket.ts';
import { FakeClock } from '../fake-clock.ts';
import { startHaproxy } from '../haproxy/haproxy.ts';
import { bundle, issue, NOW } from './bundles.ts';
import { prepareOf } from './real-host.ts';

/** A real HAProxy and its certificates; `again` is the next agent of the same host. */
async function host(t: ExecutionContext) {
  const { folder, socketPath, certificates } = await startHaproxy(t);
  const config = join(folder, 'haproxy.conf');
  const clock = new FakeClock({ wallMs: NOW });
  const asked: string[] = [];
  const again = () => {
    const socket = statsSocket({
      config,
      socket: socketPath,
      hungAfterMs: 5000,
      frontends: [],
      probe: '',
      rootProcesses: () => Promise.resolve(''),
      elsewhere: () => [],
      clock,
    });
    return hostCertificates({
      node: 'n1',
      config: {
        haproxy: { config, reload: [] },
        state: folder,
        certificates: { map: { site: certificates.a } },
      },
      socket: {
        ...socket,
        ask: (command, ...more) => {
          asked.push(command);
          return socket.ask(command, ...more);
        },
      },
      files: certificateFiles,
      reload: () => Promise.reject(new Error('nothing is reloaded here')),
      rootProcesses: () => Promise.resolve(''),
      elsewhere: () => [],
      clock,
    });
  };
  const oldPem = readFileSync(certificates.a, 'utf8');
  const newPem = bundle(await issue({ subject: 'CN=a2', names: ['a.test'] }));
  return { path: certificates.a, again, asked, oldPem, newPem };
}

test('a swap that was cut off before its commit is taken back with nothing but the socket', async (t) => {
  const { path, again, oldPem, newPem } = await host(t);
  const before = await again().inspect(true);
  await again().swap.prepare(prepareOf('s1', [{ path: 'site', pem: newPem }]));
  const next = again();
  const { entries } = await next.swap.open();
  t.deepEqual(
    entries.map(({ swapId, phase }) => [swapId, phase]),
    [['s1', 'prepared']],
  );
  await next.swap.abort('s1');
  t.deepEqual(await next.inspect(true), before);
  t.is(readFileSync(path, 'utf8'), oldPem);
});

test('one that was cut off after its commit is finished: disk, memory and client agree', async (t) => {
  const { path, again, oldPem, newPem } = await host(t);
  const first = again();
  await first.swap.prepare(prepareOf('s1', [{ path: 'site', pem: newPem }]));
  await first.swap.commit('s1');
  const next = again();
  await next.swap.finish('s1');
  const [site] = await next.inspect(true);
  const { sha256 = null, memory = null } = site ?? {};
  t.deepEqual(
    [site?.name, site?.path, site?.disk, site?.served, site?.problem],
    ['site', path, memory, memory, ''],
  );
  t.is(readFileSync(path, 'utf8'), newPem);
  t.is(await next.bundleWith('site', sha256 ?? ''), newPem);
  t.is(await next.previousBundle('site'), oldPem);
});

test('a bundle that this node has not is refused; of one never swapped none was before', async (t) => {
  const { again } = await host(t);
  const certificates = again();
  const refused = await t.throwsAsync(certificates.bundleWith('site', '00'), {
    instanceOf: ActFailure,
  });
  t.is(refused.outcome, 'not-found');
  t.is(await certificates.previousBundle('site'), null);
});

test('however many certificates are looked at, HAProxy is asked no more than for one', async (t) => {
  const { again, asked } = await host(t);
  const certificates = again();
  t.true((await certificates.inspect(true)).length > 1);
  const first = asked.map((command) => command.replace(/ \/.*/, ' FILE'));
  t.deepEqual(
    first.filter((command) => ['show info', 'show ssl cert FILE'].includes(command)).sort(),
    ['show info', 'show info', 'show ssl cert FILE'],
  );
});
