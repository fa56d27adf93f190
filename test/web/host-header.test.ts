import test from 'ava';
import { isOwnHost } from '../../agent/web/host-header.ts';

const names = ['haproxy01.example.net', 'Pair'];

test('addresses, localhost and names of the configuration are own hosts, with any port', (t) => {
  for (const host of [
    '',
    '127.0.0.1',
    '127.0.0.1:7663',
    '10.1.60.201:80',
    '[::1]',
    '[::1]:7663',
    '[fd5e:d1c2:c9de:60::201]:7663',
    'localhost',
    'LocalHost:7663',
    'localhost.',
    'pair.localhost:7663',
    'haproxy01.example.net',
    'HAPROXY01.example.net.:7663',
    'pair',
  ])
    t.true(isOwnHost(host, names), host);
});

test('every other name is somebody else, and so is what is none', (t) => {
  for (const host of [
    'evil.example',
    'evil.example:7663',
    'localhost.evil.example',
    'notlocalhost',
    '127.0.0.1.evil.example',
    '127.0.0.1@evil.example',
    'haproxy01.example.net.evil.example',
    'www.haproxy01.example.net',
    'haproxy01',
    '.localhost',
    '::1',
    '[evil.example]',
    '[::1].evil.example',
    '127.1',
    '0x7f000001',
    'localhost:7663:1',
    'localhost:x',
    'localhost/',
    ' localhost',
    ':7663',
  ])
    t.false(isOwnHost(host, names), host);
});
