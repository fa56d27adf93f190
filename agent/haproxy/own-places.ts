import { isDisabled } from './config-servers.ts';
import type { ConfigSection } from '../core/haproxy-config/sections.ts';

/**
 * Tells of a server's address whether this HAProxy itself listens there: a `bind`, or a stats
 * socket over TCP. Such a server lives as long as HAProxy does.
 */
export function ownPlaces(sections: readonly ConfigSection[]): (address: string) => boolean {
  const places = new Set(
    sections.flatMap((section) =>
      section.lines.flatMap(({ words: [first, second = '', third = ''], isGuarded }) => {
        const isBind = first === 'bind' && /^(?:frontend|listen)$/.test(section.kind);
        const isStats = first === 'stats' && second === 'socket' && section.kind === 'global';
        if (isGuarded || (!isBind && !isStats) || isDisabled(section)) return [];
        return (isBind ? second : third).split(',').flatMap((one) => placesOf(one, ANY));
      }),
    ),
  );
  return (address) => placesOf(address, LOOPBACK).some((place) => places.has(place));
}

const LOOPBACK = /^(?:127(?:\.\d+){3}|localhost|::1)$/;
/** What takes connections to a loopback address. */
const ANY = /^(?:|\*|0\.0\.0\.0|::|127(?:\.\d+){3}|localhost|::1)$/;

/** A socket by its name, or a port of this host where `hosts` has the address. */
function placesOf(address: string, hosts: RegExp): string[] {
  const [, path] = /^(?:unix@)?(\/.+)$/.exec(address) ?? [];
  if (path !== undefined) return [path];
  if (/^abnsz?@./.test(address)) return [address];
  const [, host = '', port] = /^(?:(?:tcp|ipv)[46]?@)?(.*):(\d+)$/.exec(address) ?? [];
  return port !== undefined && hosts.test(host.replace(/^\[|\]$/g, '')) ? [`:${port}`] : [];
}
