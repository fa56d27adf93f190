import { randomInt } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { openRawSocket, type RawSocket } from '../sys/raw-socket.ts';
import type { Echo, OnReply } from './echo.ts';

const ICMP = { protocol: 1, request: 8, reply: 0 };
const ICMP6 = { protocol: 58, request: 128, reply: 129 };
/**
 * Echo through the raw-socket package: one socket per family (RFC 792, RFC
 * 4443). Throws where the package is not built or raw sockets are not allowed.
 */
export function rawEcho(onReply: OnReply): Echo {
  const id = randomInt(1, 0xffff);
  let sequence = 0;
  const open = (is4: boolean): RawSocket => {
    const { protocol, reply } = is4 ? ICMP : ICMP6;
    const socket = openRawSocket(protocol, is4 ? 4 : 6);
    socket.on('message', (buffer, source) => {
      // IPv4 comes with its header, IPv6 without; all messages share one block of memory.
      const start = is4 ? ((buffer[0] ?? 0) & 15) * 4 : 0;
      if (buffer.length < start + 8 || buffer[start] !== reply) return;
      if (buffer.readUInt16BE(start + 4) === id) onReply(source);
    });
    return socket;
  };
  const sockets = { v4: open(true), v6: open(false) };
  return {
    kind: 'raw-socket',
    calmMs: 500,
    hastyMs: 30,
    send(address) {
      const is4 = isIPv4(address);
      const packet = Buffer.alloc(16);
      packet.set([is4 ? ICMP.request : ICMP6.request]);
      packet.writeUInt16BE(id, 4);
      packet.writeUInt16BE((sequence = (sequence + 1) & 0xffff), 6);
      // The kernel fills in ICMPv6's checksum: it covers addresses only it knows.
      if (is4) packet.writeUInt16BE(checksum(packet), 2);
      const socket = is4 ? sockets.v4 : sockets.v6;
      socket.send(packet, 0, packet.length, address, () => undefined);
    },
    close() {
      sockets.v4.close();
      sockets.v6.close();
    },
  };
}

/** RFC 1071. */
function checksum(packet: Buffer): number {
  let sum = 0;
  for (let at = 0; at < packet.length; at += 2) sum += packet.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
