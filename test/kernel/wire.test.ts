import test from 'ava';
import fc from 'fast-check';
import { keyAfter, wordOf } from './key.ts';
import { counters, isAuthentic, sealed } from './packets.ts';
import {
  advertDigest,
  checksum,
  encodeAdvert,
  ipv4Packet,
  ipv4Payload,
  ipv6Packet,
  readAdvert,
  type Advert,
} from './wire.ts';

/** Hexadecimal digits, written with spaces. */
const joined = (hex: string): string => hex.replaceAll(' ', '');

// Computed from the rules of sys/netinet/ip_carp.c, not captured from FreeBSD.
const VECTORS = [
  {
    key: 'foobar',
    vips: ['192.0.2.254'],
    fields: { vhid: 1, advbase: 1, advskew: 0, counter: 0x0000000100000002n },
    hex: joined('2101000700011840 0000000100000002 1eca4a69fcaaefcf3dc1058c2aa18701d813a401'),
  },
  {
    key: 'foobar',
    vips: ['192.0.2.254'],
    fields: { vhid: 1, advbase: 1, advskew: 100, counter: 0x0000000100000003n },
    hex: joined('2101640700015fb8 0000000100000003 03a751077a9d23b084c3406003938763e2fef524'),
  },
  {
    key: '',
    vips: ['192.0.2.1'],
    fields: { vhid: 1, advbase: 1, advskew: 0, counter: 1n },
    hex: joined('2101000700014c43 0000000000000001 d82c3cfde0ce97846dffaa2e3f83079962834367'),
  },
  {
    key: 'mekmitasdigoat',
    vips: ['192.0.2.9', '192.0.2.10', '2001:db8::1'],
    fields: { vhid: 7, advbase: 1, advskew: 240, counter: 0xdeadbeef00000001n },
    hex: joined('2107f007000192b5 deadbeef00000001 7df2f0779af49beb1bd7cdf2ac0440743dec0522'),
  },
] as const;

const advertOf = (header: Buffer): Advert => {
  const advert = readAdvert(header);
  if (typeof advert === 'string') throw new Error(advert);
  return advert;
};

test('adverts are made byte for byte as the rules say', (t) => {
  t.deepEqual(
    VECTORS.map(({ key, vips, fields }) => sealed(key, vips, fields).toString('hex')),
    VECTORS.map(({ hex }) => hex),
  );
});

test('what was sealed is read back and found authentic', (t) => {
  for (const { key, vips, fields, hex } of VECTORS) {
    const { digest, ...read } = advertOf(Buffer.from(hex, 'hex'));
    t.deepEqual(read, fields);
    t.is(digest.toString('hex'), hex.slice(32));
    t.true(isAuthentic(key, vips, { ...read, digest }));
  }
});

test('any advert is read as it was written', (t) => {
  const byte = fc.integer({ min: 0, max: 255 });
  const advert = fc.record({
    vhid: byte,
    advskew: byte,
    advbase: byte,
    counter: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    digest: fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  });
  fc.assert(fc.property(advert, (one) => void t.deepEqual(readAdvert(encodeAdvert(one)), one)));
});

test('a single flipped bit anywhere is noticed', (t) => {
  const good = Buffer.from(VECTORS[0].hex, 'hex');
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bad = Buffer.from(good);
    bad.writeUInt8(bad.readUInt8(bit >> 3) ^ (0x80 >> (bit & 7)), bit >> 3);
    t.is(readAdvert(bad), bit < 4 ? 'badVersion' : 'badSum', `bit ${bit}`);
  }
});

test('a short packet and one of VRRPv3 are no adverts; type and authlen are not looked at', (t) => {
  const good = Buffer.from(VECTORS[0].hex, 'hex');
  t.is(readAdvert(good.subarray(0, 35)), 'tooShort');
  t.is(readAdvert(Buffer.concat([Buffer.from([0x31]), good.subarray(1)])), 'badVersion');
  const odd = Buffer.from(good);
  odd.writeUInt8(0x22, 0);
  odd.writeUInt8(8, 3);
  odd.writeUInt16BE(0, 6);
  odd.writeUInt16BE(checksum(odd), 6);
  t.is(advertOf(odd).vhid, 1);
});

test('another password, vhid, counter or list of VIPs makes another HMAC', (t) => {
  const [{ key, vips, hex }] = VECTORS;
  const advert = advertOf(Buffer.from(hex, 'hex'));
  t.false(isAuthentic('foobaz', vips, advert));
  t.false(isAuthentic(key, vips, { ...advert, vhid: 2 }));
  t.false(isAuthentic(key, vips, { ...advert, counter: advert.counter + 1n }));
  t.false(isAuthentic(key, [...vips, '192.0.2.253'], advert));
  t.false(isAuthentic(key, [...vips, '2001:db8::1'], advert));
  t.false(isAuthentic(key, [], advert));
});

test('advskew and advbase are not covered by the HMAC', (t) => {
  const [{ key, vips, fields, hex }] = VECTORS;
  const { digest } = advertOf(Buffer.from(hex, 'hex'));
  const forged = readAdvert(encodeAdvert({ ...fields, advbase: 3, advskew: 200, digest }));
  t.true(typeof forged !== 'string' && isAuthentic(key, vips, forged));
});

test('the order of the VIPs does not matter, numerically or as written', (t) => {
  const vips = ['192.0.2.9', '192.0.2.10', '10.0.0.1', '2001:db8::1', 'fd00::9', 'fd00::10'];
  const digest = advertDigest('k', 1, vips, 1n);
  fc.assert(
    fc.property(
      fc.shuffledSubarray(vips, { minLength: vips.length }),
      (shuffled) => void t.deepEqual(advertDigest('k', 1, shuffled, 1n), digest),
    ),
  );
  t.deepEqual(
    advertDigest('k', 1, ['2001:DB8:0:0::0:1'], 1n),
    advertDigest('k', 1, ['2001:db8::1'], 1n),
  );
});

test('a password ends after 19 characters, and NULs behind it make no difference', (t) => {
  const long = 'abcdefghijklmnopqrs';
  const digest = (key: string): Buffer => advertDigest(key, 1, ['192.0.2.1'], 1n);
  t.is(keyAfter('', `${long}tuv`), long);
  t.notDeepEqual(digest(keyAfter('', long.slice(0, 18))), digest(long));
  t.deepEqual(digest(`${long}\0`), digest(long));
});

test('a shorter password leaves the tail of the longer: it shows alike and hashes apart', (t) => {
  const digest = (key: string): Buffer => advertDigest(key, 1, ['192.0.2.1'], 1n);
  const live = keyAfter(keyAfter('', 'longerpassword'), 'secret');
  const fresh = keyAfter('', 'secret');
  t.deepEqual([wordOf(live), wordOf(fresh)], ['secret', 'secret']);
  t.is(live, 'secret\0assword');
  t.notDeepEqual(digest(live), digest(fresh));
  t.is(keyAfter(live, ''), live, 'no word keeps it');
  t.is(keyAfter(live, 'abcdefghijklmnopqrstuv'), 'abcdefghijklmnopqrs', 'a long one covers it');
});

test('the scope of a link-local VIP is not hashed', (t) => {
  t.deepEqual(advertDigest('k', 1, ['fe80::1%vtnet0'], 1n), advertDigest('k', 1, ['fe80::1'], 1n));
});

test('packets carry the group, TTL 255, don’t fragment and DSCP 56', (t) => {
  const payload = Buffer.from(VECTORS[0].hex, 'hex');
  const four = ipv4Packet('192.0.2.1', payload);
  t.is(
    four.subarray(0, 20).toString('hex'),
    joined('45e00038 00004000 ff70d861 c0000201 e0000012'),
  );
  t.is(checksum(four.subarray(0, 20)), 0);
  t.deepEqual(ipv4Payload(four), payload);
  const six = ipv6Packet('fe80::5', payload);
  t.is(
    six.subarray(0, 40).toString('hex'),
    joined('6e000000 002470ff fe800000000000000000000000000005 ff020000000000000000000000000012'),
  );
  t.deepEqual(six.subarray(40), payload);
});

test('an IPv4 packet with another TTL, or without its header, has no payload', (t) => {
  const packet = ipv4Packet('192.0.2.1', Buffer.from(VECTORS[0].hex, 'hex'));
  packet.writeUInt8(254, 8);
  t.is(ipv4Payload(packet), 'badTtl');
  t.is(ipv4Payload(packet.subarray(0, 12)), 'tooShort');
  t.is(ipv4Payload(Buffer.alloc(0)), 'tooShort');
});

test('IPv4 options are skipped', (t) => {
  const payload = Buffer.from(VECTORS[0].hex, 'hex');
  const plain = ipv4Packet('192.0.2.1', payload);
  const head = Buffer.from(plain.subarray(0, 20));
  head.writeUInt8(0x46, 0);
  t.deepEqual(ipv4Payload(Buffer.concat([head, Buffer.alloc(4), payload])), payload);
});

test('counters are random until one was received, then one more each time', (t) => {
  const counter = counters();
  const random = new Set(Array.from({ length: 8 }, () => counter.next('1@vtnet0')));
  t.is(random.size, 8);
  counter.adopt('1@vtnet0', 41n);
  t.deepEqual([counter.next('1@vtnet0'), counter.next('1@vtnet0')], [42n, 43n]);
  counter.adopt('1@vtnet0', 2n ** 64n - 1n);
  t.is(counter.next('1@vtnet0'), 0n);
  t.false([0n, 1n].includes(counter.next('2@vtnet0')), 'another vhid has its own');
});
