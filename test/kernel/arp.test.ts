import test from 'ava';
import { fixture } from '../fixture.ts';
import { announcements, arpAnswer, arpBytes, readArp, type ArpFrame } from './arp.ts';
import { backup, master, VIP4, type Scene } from './scene.ts';

const MAC1 = '52:54:00:fb:01:01';
const MAC2 = '52:54:00:fb:01:02';
const VIRTUAL = '00:00:5e:00:01:01';

const asked = (senderIp: string, over: Partial<ArpFrame> = {}): ArpFrame => ({
  op: 1,
  senderMac: 'ce:30:db:a3:c3:ed',
  senderIp,
  targetIp: VIP4,
  etherSource: 'ce:30:db:a3:c3:ed',
  etherTo: 'ff:ff:ff:ff:ff:ff',
  ...over,
});

/** "reply sha SENDER ethersrc SOURCE", of MASTER and BACKUP together. */
function answers(frame: ArpFrame, others: readonly [Scene, string][] = pair()): string[] {
  return others.flatMap(([{ kernel }, mac]) => {
    const host = { mac, own: [`192.0.2.1${mac.at(-1)}`], vhids: kernel.vhids };
    const answer = arpAnswer(host, frame);
    return answer === null ? [] : [`reply sha ${answer.senderMac} ethersrc ${answer.etherSource}`];
  });
}
const pair = (): [Scene, string][] => [
  [backup({ advskew: 100 }), MAC2],
  [master(), MAC1],
];

test('e17: a question, a probe and an announcement for the VIP get the answers that were seen', (t) => {
  const seen = fixture('freebsd-12.1/traces/e17.txt')
    .split('### ')
    .filter((section) => section.startsWith('ARP who-has'))
    .flatMap((section) => section.split(/ {2}answers: \d+\n/).slice(0, 3))
    .map((part) => part.match(/reply sha .*/g) ?? []);
  t.deepEqual(
    [asked('192.0.2.9'), asked('0.0.0.0'), asked(VIP4)].map((frame) => answers(frame)),
    seen.map((one) => [...one]),
  );
});

test('the announcement of a new MASTER leaves from its physical MAC; the host before answers it with its own', (t) => {
  const scene = master();
  const [frame] = announcements(MAC1, scene.vhid());
  t.deepEqual(frame, {
    op: 1,
    senderMac: VIRTUAL,
    senderIp: VIP4,
    targetIp: VIP4,
    etherSource: MAC1,
    etherTo: 'ff:ff:ff:ff:ff:ff',
  });
  const fenced = backup();
  fenced.sysctl('allow', 0);
  for (const other of [backup(), fenced]) {
    const host = { mac: MAC2, own: [], vhids: other.kernel.vhids };
    t.deepEqual(frame === undefined ? null : arpAnswer(host, frame), {
      op: 2,
      senderMac: MAC2,
      senderIp: VIP4,
      targetIp: VIP4,
      etherSource: MAC2,
      etherTo: VIRTUAL,
    });
  }
  // Another MASTER of the same vhid takes it for its own.
  t.deepEqual(answers(frame ?? asked(VIP4), [[master(), MAC2]]), []);
});

test('own addresses are answered with the physical MAC, in any state; an answer is never answered', (t) => {
  t.deepEqual(answers(asked('192.0.2.9', { targetIp: '192.0.2.12' })), [
    `reply sha ${MAC2} ethersrc ${MAC2}`,
  ]);
  t.deepEqual(answers(asked(VIP4, { op: 2 })), []);
});

test('frames are read back as they were written; what is no ARP is none', (t) => {
  for (const frame of [asked(VIP4), asked('0.0.0.0', { op: 2, etherTo: MAC1 })])
    t.deepEqual(readArp(arpBytes(frame)), frame);
  t.is(arpBytes(asked(VIP4)).length, 42);
  t.is(readArp(arpBytes(asked(VIP4)).subarray(0, 41)), null);
  const other = arpBytes(asked(VIP4));
  other.writeUInt16BE(0x86dd, 12);
  t.is(readArp(other), null);
});
