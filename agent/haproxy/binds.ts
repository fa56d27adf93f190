import { isIP } from 'node:net';
import { isDisabled } from './config-servers.ts';
import type { ConfigSection } from '../core/haproxy-config/sections.ts';

/** An address on this host at which a frontend accepts TCP connections. */
export interface Bind {
  /** Name of its frontend or listen section. */
  readonly frontend: string;
  /** Where a connection from this host gets there: loopback for a wildcard. */
  readonly host: string;
  readonly port: number;
}

/** Binds that no plain connection from this host reaches. */
const APART = new Set(['interface', 'namespace']);

/**
 * The TCP addresses of the `bind` lines in the sections of haproxy.conf that can be known without
 * being HAProxy: literal ones, of sections that are not disabled. Of a range of ports the first.
 * What stands in a condition (`.if`) may not be there, and its silence would prove nothing.
 */
export function bindsIn(sections: readonly ConfigSection[]): Bind[] {
  return sections
    .filter((section) => /^(?:frontend|listen)$/.test(section.kind) && !isDisabled(section))
    .flatMap(({ title, lines }) =>
      lines
        .filter((line) => isPlain(line))
        .flatMap(({ words }) =>
          (words[1] ?? '').split(',').flatMap((address) => {
            const place = placeOf(address, words.includes('v6only'));
            return place === null ? [] : [{ frontend: title.split(' ')[1] ?? '', ...place }];
          }),
        ),
    );
}

/** So many places are enough to see what clients see. */
const MOST_PLACES = 8;

/**
 * HOST:PORT at which clients of these addresses get to this HAProxy: the ports of binds on the
 * address itself or on a wildcard, in the order of the file.
 */
export function clientPlaces(
  sections: readonly ConfigSection[],
  vips: readonly string[],
): string[] {
  const places = sections
    .filter((section) => /^(?:frontend|listen)$/.test(section.kind) && !isDisabled(section))
    .flatMap(({ lines }) => lines.filter((line) => isPlain(line)))
    .flatMap(({ words }) =>
      (words[1] ?? '').split(',').flatMap((address) => {
        const place = placeOf(address, words.includes('v6only'));
        return place === null ? [] : [{ ...place, any: ANY.test(address), v6: V6.test(address) }];
      }),
    );
  const found = vips.flatMap((vip) =>
    places
      .filter(({ host, any, v6 }) =>
        any ? (isIP(vip) === 6) === v6 || (v6 && host === LOOPBACK) : host === vip,
      )
      .map(({ port }) => `${isIP(vip) === 6 ? `[${vip}]` : vip}:${port}`),
  );
  return [...new Set(found)].slice(0, MOST_PLACES);
}

const LOOPBACK = '127.0.0.1';
/** A wildcard, and one of IPv6. */
const ANY = /^(?:[a-z0-9+]+@)?(?:\*|0\.0\.0\.0|\[?::\]?)?:\d/;
const V6 = /^(?:(?:ipv6|tcp6|mptcp6|stream\+ip6)@|\[?::\]?:\d)/;

const isPlain = ({ isGuarded, words }: ConfigSection['lines'][number]): boolean =>
  !isGuarded && words[0] === 'bind' && !isApart(words);

const isApart = (words: readonly string[]): boolean => words.some((word) => APART.has(word));

/** Configuration manual 11.2, "address formats": families that are TCP over IP, with or without a name. */
function placeOf(address: string, v6only: boolean): Omit<Bind, 'frontend'> | null {
  const form = /^(?:(?:ipv|tcp|mptcp)([46])?@|(?:tcp|mptcp|stream\+ip[46])@)?(.*):(\d+)(?:-\d+)?$/;
  const [, family = '', written = '', digits] = form.exec(address) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65_535) return null;
  const host = written.replace(/^\[|\]$/g, '');
  if (host === '::') return { host: v6only ? '::1' : '127.0.0.1', port };
  if (host === '' || host === '*') return { host: family === '6' ? '::1' : '127.0.0.1', port };
  if (host === '0.0.0.0') return { host: '127.0.0.1', port };
  return isIP(host) === 0 ? null : { host, port };
}
