import test from 'ava';
import { orRawTell, type SendToAll } from '../../agent/carp/raw-tell.ts';
import type { Tell } from '../../agent/carp/tell.ts';

const TEXT = `vtnet1: flags=8943<UP,BROADCAST> metric 0 mtu 1500
	inet6 fd00:60::200 prefixlen 128 vhid 1
	inet6 fd00:60::201 prefixlen 128 vhid 2
	inet6 fe80::5054:ff:fefb:101%vtnet1 prefixlen 64 scopeid 0x2
	inet 10.1.60.200 netmask 0xffffffff broadcast 10.1.60.200 vhid 1
	carp: MASTER vhid 1 advbase 1 advskew 0
	carp: BACKUP vhid 2 advbase 1 advskew 100
`;
/** RFC 4861, 4.4: override flag, target, its virtual MAC; the kernel fills in the checksum. */
const PAYLOAD = '8800000020000000fd000060000000000000000000000200020100005e000101';

/** Both ways, each with why it fails ('': it works); what was sent by the second. */
function ways(first: string, second: string) {
  const sent: string[] = [];
  const answer = (cause: string): Promise<void> =>
    cause === '' ? Promise.resolve() : Promise.reject(new Error(cause));
  const send: SendToAll = (name, payload) => {
    sent.push(`${name} ${payload.toString('hex')}`);
    return answer(second);
  };
  const exec = (file: string, args: readonly string[]): Promise<string> =>
    Promise.resolve(`${file} ${args.join()}` === '/sbin/ifconfig vtnet1' ? TEXT : '');
  const by: Tell = () => answer(first);
  const host = { exec, ifconfig: '/sbin/ifconfig' };
  return { sent, tell: orRawTell(by, send, host), alone: orRawTell(by, null, host) };
}

test('nothing goes out by the raw socket while the first way works', async (t) => {
  const { tell, sent } = ways('', '');
  await tell('vtnet1', [1]);
  t.deepEqual(sent, []);
});

test('where the first way fails, the MASTER’s IPv6 addresses are told of by the raw socket', async (t) => {
  const { tell, sent } = ways('no netgraph', '');
  await tell('vtnet1', [1, 2]);
  t.deepEqual(sent, [`vtnet1 ${PAYLOAD}`]);
});

test('whether they could be told is not tried by a frame', async (t) => {
  const { tell, sent } = ways('no netgraph', '');
  await tell('vtnet1', []);
  t.deepEqual(sent, []);
});

test('where both fail both causes are said, and without a raw socket the one', async (t) => {
  const { tell, alone } = ways('no netgraph', 'Network is down');
  await t.throwsAsync(tell('vtnet1', [1]), {
    message: 'no netgraph; by raw socket: Network is down',
  });
  await t.throwsAsync(alone('vtnet1', [1]), { message: 'no netgraph' });
});
