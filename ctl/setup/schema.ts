import { isIP } from 'node:net';
import * as v from 'valibot';
import { splitAddress } from '../../agent/wire/address.ts';

/** The shape of an answer file. Every message says what would be right. */

const text = v.pipe(v.string('must be text in quotes'), v.nonEmpty('must not be empty'));
const word = (what: string) =>
  v.pipe(
    text,
    v.regex(/^[A-Za-z0-9][\w.-]{0,62}$/, `must be ${what}: letters, digits, dot, dash, underscore`),
  );
const list = <T extends v.GenericSchema>(item: T, what: string) =>
  v.pipe(v.array(item, 'must be a list in brackets'), v.minLength(1, `needs at least one ${what}`));
const integer = (low: number, high: number) => {
  const range = `must be a whole number from ${low} to ${high}`;
  return v.pipe(v.number(range), v.integer(range), v.minValue(low, range), v.maxValue(high, range));
};

/** Labels of letters, digits and dashes (RFC 1123), at most 63 each and 253 together. */
const hostname = v.pipe(
  text,
  v.maxLength(253, 'must be a host name of at most 253 characters'),
  v.regex(
    /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*$/,
    'must be a host name like "haproxy01.example.net": letters, digits, dashes and dots',
  ),
);

/** Address and prefix length of "10.1.60.201/24"; null for anything else. */
export function splitPrefix(
  given: string,
): { readonly address: string; readonly length: number; readonly family: 4 | 6 } | null {
  const [, address = '', digits = ''] = /^([^/%]+)\/(\d{1,3})$/.exec(given) ?? [];
  const family = isIP(address);
  const length = Number(digits);
  if (family !== 4 && family !== 6) return null;
  return length > (family === 4 ? 32 : 128) ? null : { address, length, family };
}

const prefix = v.pipe(
  text,
  v.check(
    (given) => splitPrefix(given) !== null,
    'must be an address with its prefix length, like "10.1.60.201/24" or "2001:db8::1/64"',
  ),
);
const ip = v.pipe(
  text,
  v.check((given) => isIP(given) !== 0, 'must be an IP address'),
);
const vip = v.pipe(
  text,
  v.check(
    (given) => isIP(given) !== 0 || splitPrefix(given) !== null,
    'must be an IP address, like "10.1.60.200" or "fd5e::200"',
  ),
);
const server = v.pipe(
  text,
  v.check((given) => {
    const split = splitAddress(given);
    return split !== null && isIP(split.host) !== 0 && split.port > 0;
  }, 'must be IP:PORT or [IP]:PORT; a name such as localhost may be several addresses of which some refuse'),
);
const path = v.pipe(text, v.regex(/^\/[\w./@+-]+$/, 'must be an absolute path without spaces'));

/** Said of a list of interfaces, and of [[network]]. */
const ONE_NETWORK =
  'must be one, in quotes: setup writes the first network of a pair; a further one goes by hand into rc.conf, pf.conf and, as [[network]], agent.toml';

const vips = list(vip, 'address');
const backend = v.strictObject(
  {
    name: word('a name'),
    hosts: v.optional(list(hostname, 'host name')),
    servers: list(server, 'server'),
    tls: v.optional(v.boolean('must be true or false'), false),
    verify: v.optional(v.boolean('must be true or false'), true),
    ca: v.optional(path),
    sticky: v.optional(v.boolean('must be true or false'), true),
  },
  'must be written as [[backend]]',
);

export const answersToml = v.strictObject({
  pair: word('the name of the pair'),
  preempt: v.optional(v.boolean('must be true or false'), false),
  network: v.optional(
    v.pipe(
      v.string(ONE_NETWORK),
      v.regex(
        /^[A-Za-z0-9][\w.-]{0,62}$/,
        'must be the name of the network: letters, digits, dot, dash, underscore',
      ),
    ),
    'wan',
  ),
  password: v.optional(
    v.pipe(
      v.string('must be text in quotes'),
      v.nonEmpty('must not be empty; leave it out and one is made'),
      v.maxLength(19, 'must be at most 19 characters: the kernel reads no more'),
      v.regex(
        /^[A-Za-z0-9_.,:+=@%/-]*$/,
        'must be of letters, digits and _.,:+=@%/- only: rc.conf is read by sh, and ifconfig takes no spaces',
      ),
    ),
  ),
  host: v.pipe(
    v.array(
      v.strictObject({
        name: hostname,
        interface: v.pipe(
          v.string(ONE_NETWORK),
          v.nonEmpty('must not be empty'),
          v.regex(
            /^[a-z][a-z0-9_.]{0,13}\d$/,
            'must be an interface as ifconfig calls it, like "vtnet0" or "em0.10"',
          ),
        ),
        address: list(prefix, 'address'),
        gateway: v.optional(list(ip, 'gateway'), []),
      }),
      'must be written as [[host]]',
    ),
    v.length(2, 'there must be two: [[host]] for each of the pair'),
  ),
  vhid: v.pipe(
    v.array(
      v.strictObject({
        id: integer(1, 255),
        vips: v.union(
          [vips, v.record(v.string(), vips)],
          'must be a list of addresses, the same for both hosts',
        ),
        advskew: v.optional(
          v.record(
            v.string(),
            integer(0, 240),
            'must be a table like { haproxy01 = 0, haproxy02 = 100 }',
          ),
        ),
      }),
      'must be written as [[vhid]]',
    ),
    v.minLength(1, 'at least one [[vhid]] is needed'),
  ),
  operator: v.pipe(
    v.array(
      v.strictObject({
        name: word('a name'),
        role: v.picklist(
          ['viewer', 'operator', 'admin'],
          'must be one of "viewer", "operator", "admin"',
        ),
      }),
      'must be written as [[operator]]',
    ),
    v.minLength(1, 'at least one [[operator]] is needed, for the laptop'),
  ),
  firewall: v.optional(
    v.strictObject({
      ssh: v.optional(list(v.union([prefix, ip], 'must be a network or address'), 'network')),
      operators: v.optional(list(v.union([prefix, ip], 'must be a network or address'), 'network')),
    }),
    {},
  ),
  haproxy: v.strictObject(
    {
      certificate: path,
      peers_port: v.optional(integer(1, 65_535), 10_000),
      default: v.optional(word('the name of a backend')),
    },
    'must be a table',
  ),
  backend: v.pipe(
    v.array(backend, 'must be written as [[backend]]'),
    v.minLength(1, 'at least one [[backend]] is needed'),
  ),
});

export type AnswersToml = v.InferOutput<typeof answersToml>;
