import { sentence } from '../core/words.ts';
import type { Exec } from '../sys/exec.ts';
import { openRawSocket } from '../sys/raw-socket.ts';
import { advertisement, ALL_NODES, ICMP6 } from './advertisement.ts';
import { toTell, type Tell } from './tell.ts';

/** Sends these ICMPv6 bytes to every node on the interface; rejects with why it could not. */
export type SendToAll = (name: string, payload: Buffer) => Promise<void>;

const IPPROTO_IPV6 = 41;
/** IPV6_MULTICAST_HOPS and IPV6_MULTICAST_LOOP: FreeBSD sys/netinet6/in6.h, and Linux in the lab. */
const OPTIONS = process.platform === 'linux' ? { hops: 18, loop: 19 } : { hops: 10, loop: 11 };

/**
 * A raw ICMPv6 socket, opened while this process is root. Throws where the raw-socket package is
 * not built or raw sockets are not allowed.
 */
export function openSendToAll(): SendToAll {
  const socket = openRawSocket(ICMP6, 6);
  // Of any other hop limit than 255 a neighbour takes no notice (RFC 4861, 7.1.2).
  socket.setOption(IPPROTO_IPV6, OPTIONS.hops, 255);
  // A MASTER that heard itself would call its own address a duplicate in its log.
  socket.setOption(IPPROTO_IPV6, OPTIONS.loop, 0);
  socket.pauseRecv();
  return (name, payload) =>
    new Promise((resolve, reject) => {
      // The kernel fills in the checksum, and the link-local address as source.
      socket.send(payload, 0, payload.length, `${ALL_NODES}%${name}`, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
}

/**
 * By `first`, and where that fails by `send`: neighbours are told as well, but switches are not,
 * since the kernel puts the physical MAC into the frame. Null: by `first` alone. Rejects with both
 * causes.
 */
export function orRawTell(
  first: Tell,
  send: SendToAll | null,
  { exec, ifconfig }: { readonly exec: Exec; readonly ifconfig: string },
): Tell {
  if (send === null) return first;
  return async (name, vhids) => {
    try {
      await first(name, vhids);
    } catch (error) {
      const why = sentence(error);
      try {
        const told = vhids.length === 0 ? [] : toTell(name, vhids, await exec(ifconfig, [name]));
        for (const { vhid, vip } of told) await send(name, advertisement(vhid, vip));
      } catch (cause) {
        throw new Error(`${why}; by raw socket: ${sentence(cause)}`, { cause });
      }
    }
  };
}
