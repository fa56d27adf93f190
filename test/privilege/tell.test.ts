import { rmSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { directTell } from '../../agent/carp/tell.ts';
import { execWithin } from '../../agent/sys/exec.ts';
import { NGCTL, toldNgctl } from '../carp/ngctl.ts';
import { prints } from '../carp/tools.ts';
import { fixture } from '../fixture.ts';
import { scriptedHelper } from './tools.ts';

const ONE = `vtnet1: flags=8943<UP,BROADCAST> metric 0 mtu 1500
	description: inet6 fe80::bad%vtnet1 prefixlen 64
	inet6 fd00:60::200 prefixlen 128 vhid 1
	inet6 fe80::dead%vtnet1 prefixlen 64 tentative scopeid 0x2
	inet6 fe80::5054:ff:fefb:101%vtnet1 prefixlen 64 scopeid 0x2
	inet6 fd00:60::11 prefixlen 64
	inet 10.1.60.200 netmask 0xffffffff broadcast 10.1.60.200 vhid 1
	carp: MASTER vhid 1 advbase 1 advskew 0
	carp: BACKUP vhid 12 advbase 1 advskew 100
`;
/** The layout of RFC 4861, 4.4, in RFC 8200 in Ethernet, spelled out: 86 bytes. */
const FRAME = [
  '333300000001 00005e000101 86dd',
  '60000000 0020 3a ff fe800000000000005054 00fffefb0101 ff020000000000000000000000000001',
  '88 00 a86c 20000000 fd000060000000000000000000000200 02 01 00005e000101',
]
  .join('')
  .replaceAll(' ', '');

/** The helper and an agent that is root, over the same ifconfig and ngctl. */
async function both(t: ExecutionContext, text: string) {
  const { folder, ask, answer, write, tools } = await scriptedHelper(t);
  write('ifconfig', prints(text));
  write('ngctl', NGCTL);
  const direct = directTell(execWithin(5000), tools);
  const told = async (how: () => Promise<unknown>): Promise<string[]> => {
    rmSync(join(folder, 'sent'), { force: true });
    await how();
    return toldNgctl(folder);
  };
  return {
    answer,
    write,
    tools,
    byHelper: (name: string, ...vhids: number[]) =>
      told(() => ask('tell', name, ...vhids.map(String))),
    directly: (name: string, ...vhids: number[]) => told(() => direct(name, vhids)),
  };
}

test('neighbours are told by 86 bytes through the hook orphans, from the link-local address', async (t) => {
  const { byHelper } = await both(t, ONE);
  t.deepEqual(await byHelper('vtnet1', 1), [
    'connect vtnet1: x orphans',
    `write x ${FRAME}`,
    'rmhook x',
  ]);
});

test('the helper and an agent that is root send the same bytes, for every spelling of an address', async (t) => {
  const vips = ['2001:db8::', '::1', '1:2:3:4:5:6:7:8', 'fe80::1:200%em0.60', 'ABCD::ef01:0:0:1'];
  const lines = vips.map((vip, at) => `\tinet6 ${vip} prefixlen 128 vhid ${(at % 2) * 254 + 1}\n`);
  const states = [1, 255].map((vhid) => `\tcarp: MASTER vhid ${vhid} advbase 1 advskew 0\n`);
  const own = '\tinet6 fe80::ff:fe00:1%em0.60 prefixlen 64 scopeid 0x2\n';
  const text = ['em0.60: flags=1<UP>\n', own, ...lines, ...states].join('');
  const { byHelper, directly } = await both(t, text);
  const sent = await byHelper('em0.60', 1, 255);
  t.is(sent[0], 'connect em0_60: x orphans');
  t.is(sent.length, vips.length + 2);
  const direct = await directly('em0.60', 1, 255);
  t.deepEqual([...sent].sort(), [...direct].sort());
});

test('eight vhids of a real host are told in one call of ngctl', async (t) => {
  const text = fixture('freebsd-12.1/ifconfig-12.1-master.txt');
  const { byHelper, directly } = await both(t, text);
  const vhids = [1, 2, 3, 4, 5, 6, 7, 8];
  const sent = await byHelper('vtnet1', ...vhids);
  t.is(sent.length, 10);
  t.deepEqual(await directly('vtnet1', ...vhids), sent);
});

test('a BACKUP is not told of, and without a vhid only the way is tried', async (t) => {
  const { byHelper, directly } = await both(t, ONE);
  const nothing = ['connect vtnet1: x orphans', 'rmhook x'];
  for (const vhids of [[], [12]]) {
    t.deepEqual(await byHelper('vtnet1', ...vhids), nothing);
    t.deepEqual(await directly('vtnet1', ...vhids), nothing);
  }
});

test('what the helper is asked names an interface and its vhids, nothing else', async (t) => {
  const { answer } = await both(t, ONE);
  t.is(await answer('tell'), 'refused: tell needs IF');
  t.is(await answer('tell', '../x', '1'), 'refused: no interface name: ../x');
  t.is(await answer('tell', 'vtnet1', '1', '0x2'), 'refused: no vhid: 0x2');
  t.is(await answer('tell', 'vtnet1', '9'), 'refused: vtnet1 does not carry vhid 9');
});

test('no link-local address, or an ngctl that cannot, is an error with its cause', async (t) => {
  const bare = ONE.replaceAll(/\tinet6 fe80.*\n/g, '');
  const { answer, write, tools } = await both(t, bare);
  const none = 'vtnet1 has no link-local address to tell neighbours from';
  t.is(await answer('tell', 'vtnet1', '1'), `failed: ${none}`);
  await t.throwsAsync(directTell(execWithin(5000), tools)('vtnet1', [1]), { message: none });
  write('ifconfig', prints(ONE));
  write('ngctl', `echo "ngctl: can't create node: Protocol not supported" >&2; exit 71`);
  const said = await answer('tell', 'vtnet1', '1');
  t.is(said, `failed: ${tools.ngctl}: ngctl: can't create node: Protocol not supported`);
});
