import test from 'ava';
import { diagnose } from '../../agent/core/doctor/diagnose.ts';
import { inspectionFrom } from '../../agent/core/doctor/inspection.ts';
import { inspectNeighbours, neighboursOf } from '../../agent/inspect/neighbours.ts';
import { address, report } from '../core/builders.ts';
import { fixture } from '../fixture.ts';
import { pairwise, well } from './inspections.ts';

const VIP = 'fd00:60::202';
const MAC = 'd2:07:09:e2:78:dc';

test('ndp -an of a MASTER: its neighbours, and not its own addresses', (t) => {
  t.deepEqual(neighboursOf(fixture('freebsd-12.1/ndp-arp-12.1-master.txt')), [
    { neighbour: VIP, mac: MAC },
    { neighbour: 'fd00:60::1', mac: '3a:8c:3e:d6:fe:a9' },
    { neighbour: 'fe80::607c:26ff:fe71:c2e1%vtnet1', mac: '3a:8c:3e:d6:fe:a9' },
    { neighbour: 'fe80::d007:9ff:fee2:78dc%vtnet1', mac: MAC },
  ]);
});

test('a host finds its entries of the IPv6 addresses that it may hold, and why it tells nobody', async (t) => {
  const own = report('haproxy01', {
    addresses: [address({ address: '7@wan', vhid: 7, vips: ['10.1.60.200', VIP] })],
    problems: [{ subject: 'neighbours', cause: 'no ng_ether', remedy: '', sinceMs: 0 }],
  });
  const ndp = (file: string, args: readonly string[]): Promise<string> => {
    t.deepEqual([file, ...args], ['/usr/sbin/ndp', '-an']);
    return Promise.resolve(fixture('freebsd-12.1/ndp-arp-12.1-master.txt'));
  };
  t.deepEqual(await inspectNeighbours(ndp, '/usr/sbin/ndp', own), {
    untold: 'no ng_ether',
    entries: [{ address: '7@wan', vhid: 7, vip: VIP, mac: MAC }],
  });
});

test('a host without IPv6 addresses is not asked', async (t) => {
  const own = report('haproxy01', { addresses: [address({ vips: ['10.1.60.200'] })] });
  const never = () => Promise.reject(new Error('asked'));
  t.deepEqual(await inspectNeighbours(never, 'ndp', own), { untold: null, entries: [] });
});

test('a physical MAC for an address, and a host that tells nobody, are findings with what to type', (t) => {
  const entry = { address: '16@wan', vhid: 16, vip: VIP };
  const facts = { untold: 'no ng_ether', entries: [{ ...entry, mac: MAC }] };
  const right = { untold: null, entries: [{ ...entry, mac: '00:00:5e:00:01:10' }] };
  const found = diagnose(
    [well('haproxy01', { neighbours: facts }), well('haproxy02', { neighbours: right })],
    pairwise(),
  );
  t.deepEqual(
    found.map(({ id, severity, address, nodes, saw, do: remedies }) => ({
      id,
      severity,
      address,
      nodes,
      saw,
      do: remedies.map(({ text }) => text),
    })),
    [
      {
        id: 'nd-physical-mac',
        severity: 'warn',
        address: '16@wan',
        nodes: ['haproxy01'],
        saw: [`haproxy01: ${VIP} has MAC ${MAC} and not 00:00:5e:00:01:10 (ndp -an)`],
        do: [`ndp -d ${VIP}`],
      },
      {
        id: 'nd-untold',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01'],
        saw: ['haproxy01: no ng_ether'],
        do: ['kldload ng_ether ng_socket', 'ng_ether_load="YES"'],
      },
    ],
  );
});

test('an agent that does not look at neighbours yet has nothing found there', (t) => {
  t.deepEqual(inspectionFrom('haproxy02', '{}').neighbours, {
    value: { untold: null, entries: [] },
  });
});
