import test from 'ava';
import { hostPort } from '../../agent/sys/host-port.ts';

test('an IP address with a port, IPv6 in brackets, a scope kept; nothing else', (t) => {
  const addresses = [
    '10.1.60.201:7660',
    '[fd5e::1]:1',
    '[fe80::2%vtnet0]:65535',
    '[10.0.0.1]:1',
    'fd5e::1:7660',
    'host:1',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    '10.0.0.256:1',
    ':1',
    '[::]:x',
  ];
  t.deepEqual(addresses.map(hostPort), [
    { host: '10.1.60.201', port: 7660 },
    { host: 'fd5e::1', port: 1 },
    { host: 'fe80::2%vtnet0', port: 65_535 },
    ...Array.from({ length: 8 }, () => null),
  ]);
});
