import test from 'ava';
import { isSameAddress, parseReply } from '../../agent/witness/ping-reply.ts';

const reply = (address: string, sequence: number, tookMs: number) => ({
  address,
  sequence,
  tookMs,
});

test('an answer is read as FreeBSD and iputils print it, of both families', (t) => {
  const lines = [
    '64 bytes from 10.1.60.202: icmp_seq=0 ttl=64 time=0.412 ms',
    '16 bytes from fd5e:d1c2:c9de:60::202, icmp_seq=3 hlim=64 time=0.228 ms',
    '16 bytes from fe80::1%vtnet0, icmp_seq=3 hlim=64 time=0.228 ms',
    '64 bytes from 10.1.60.202: icmp_seq=1 ttl=64 time=12 ms',
    '64 bytes from fd5e::202: icmp_seq=60 ttl=64 time=0.031 ms',
  ];
  t.deepEqual(lines.map(parseReply), [
    reply('10.1.60.202', 0, 0.412),
    reply('fd5e:d1c2:c9de:60::202', 3, 0.228),
    reply('fe80::1', 3, 0.228),
    reply('10.1.60.202', 1, 12),
    reply('fd5e::202', 60, 0.031),
  ]);
});

test('nothing else that ping prints is an answer', (t) => {
  const lines = [
    'PING 10.1.60.202 (10.1.60.202): 56 data bytes',
    'PING6(56=40+8+8 bytes) fd5e::201 --> fd5e::202',
    '92 bytes from 10.1.60.1: Destination Host Unreachable',
    'From 10.1.60.201 icmp_seq=1 Destination Host Unreachable',
    '64 bytes from 10.1.60.202: icmp_seq=1 ttl=64 time=0.4 ms (DUP!)',
    '64 bytes from 10.1.60.202: icmp_seq=1 ttl=64',
    'x64 bytes from 10.1.60.202: icmp_seq=1 ttl=64 time=0.4 ms',
    '--- 10.1.60.202 ping statistics ---',
    'round-trip min/avg/max/stddev = 0.1/0.1/0.1/0.0 ms',
    '',
  ];
  t.deepEqual(
    lines.filter((line) => parseReply(line) !== null),
    [],
  );
});

test('an address is the same however it is written', (t) => {
  const pairs = [
    ['10.1.60.202', '10.1.60.202'],
    ['2001:DB8::01', '2001:db8:0:0:0:0:0:1'],
    ['fe80::1%vtnet0', 'fe80::1'],
    ['10.1.60.202', '10.1.60.20'],
    ['2001:db8::1', '2001:db8::2'],
    ['2001:db8::1', '10.1.60.202'],
  ] as const;
  t.deepEqual(
    pairs.map(([a, b]) => isSameAddress(a, b)),
    [true, true, true, false, false, false],
  );
});
