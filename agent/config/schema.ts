import { isAbsolute } from 'node:path';
import { isIP } from 'node:net';
import * as v from 'valibot';
import { ALERTS, type AlertId } from '../core/alerts/alert.ts';
import { EVENT_KINDS, isOfKind } from '../core/events/events.ts';
import { MOST_TARGETS } from '../core/notify/notify.ts';
import { hostPort } from '../sys/host-port.ts';
import { HAPROXY_CONF } from './conflicts.ts';
import { durationMs } from './duration.ts';

/** The shape of agent.toml. Every message says what would be right. */

const string = v.string('must be text in quotes');
const filled = v.pipe(string, v.nonEmpty('must not be empty'));
const bool = v.boolean('must be true or false');
const name = v.pipe(
  string,
  v.regex(/^[A-Za-z0-9][\w.-]*$/, 'must be letters, digits, dot, dash or underscore'),
);
const path = v.pipe(
  string,
  v.check((text) => isAbsolute(text), 'must be an absolute path, for example "/usr/local/etc/x"'),
);
/** HAProxy's name of a certificate: its file, or `@STORE/NAME` of a crt-store. */
const certificate = v.pipe(
  string,
  v.check(
    (text) => isAbsolute(text) || /^@[^/]*\/./.test(text),
    'must be an absolute path, or "@store/name" of a crt-store',
  ),
);
const optionalPath = v.pipe(
  string,
  v.check((text) => text === '' || isAbsolute(text), 'must be empty or an absolute path'),
);
const probe = v.pipe(
  string,
  v.check(
    (text) => text === '' || (/^https?:\/\/[^/@]+(\/[^#]*)?$/.test(text) && URL.canParse(text)),
    'must be empty or a URL such as "https://www.example.net/health"',
  ),
);
const address = v.pipe(
  string,
  v.check(
    (text) => hostPort(text) !== null,
    'must be an IP address with port, for example "10.1.60.202:7660" or "[fd5e::202]:7660"',
  ),
);
const ip = v.pipe(
  string,
  v.check((text) => isIP(text.replace(/%[\w.]+$/, '')) !== 0, 'must be an IP address'),
);
/** A time within these bounds: 0 would mean "always" or "never", and a month overflows timers. */
const duration = (low: string, high: string) => {
  const range = `must be a time from "${low}" to "${high}", such as "500ms", "10s" or "5m"`;
  const within = (text: string): boolean => {
    const ms = durationMs(text);
    return ms !== null && ms >= (durationMs(low) ?? 0) && ms <= (durationMs(high) ?? 0);
  };
  return v.pipe(
    v.string(range),
    v.check(within, range),
    v.transform((text) => durationMs(text) ?? 0),
  );
};
const integer = (low: number, high: number) => {
  const range = `must be a whole number from ${low} to ${high}`;
  return v.pipe(v.number(range), v.integer(range), v.minValue(low, range), v.maxValue(high, range));
};
const list = <T extends v.GenericSchema>(item: T) => v.array(item, 'must be a list in brackets');
const httpsUrl = v.pipe(
  string,
  v.check(
    (text) => text === '' || (/^https:\/\/[^/]/.test(text) && URL.canParse(text)),
    'must be empty or an https:// URL',
  ),
);
const mail = v.pipe(
  string,
  v.regex(/^$|^[^\s@:,?]+@[^\s@:,?]+$/, 'must be empty or one mail address'),
);
const mailbox = v.pipe(
  string,
  v.regex(/^[^\s@:,?<>"();\\-][^\s@:,?<>"();\\]*@[^\s@:,?<>"();\\]+$/, 'must be one mail address'),
);
/** As a browser is told it; a port is none of it. */
const webName = v.pipe(
  string,
  v.check(
    (text) => text.length <= 253 && /^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9])?$/i.test(text),
    'must be a name as in http://NAME/, without port and wildcard',
  ),
);
/** What http-01 can prove: RFC 8555, 8.3 and 7.1.3 know no wildcard there. */
const hostName = v.pipe(
  string,
  v.check(
    (text) =>
      text.length <= 253 &&
      /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text),
    'must be a DNS name in small letters, without wildcard (http-01 proves none)',
  ),
);
const oneOf = <const T extends readonly string[]>(words: T) =>
  v.picklist(words, `must be one of ${words.map((word) => `"${word}"`).join(', ')}`);
const argv = v.pipe(
  list(filled),
  v.check(
    (words) => words.length === 0 || isAbsolute(words[0] ?? ''),
    'must start with the absolute path of a program',
  ),
);

const ALERT_IDS = Object.keys(ALERTS) as [AlertId, ...AlertId[]];
const DEFAULT_KINDS = ['alert', 'moved', 'maintenance', 'pause', 'resume'];
const kindOfEvent = v.pipe(
  string,
  v.check(
    (text) => EVENT_KINDS.some((kind) => isOfKind(kind, text)),
    'must be a kind of event (proxyctl events --help), or the word before its dash',
  ),
);

const tls = '/usr/local/etc/proxyctl/tls';

/** agent.toml with its defaults; unknown keys are refused by the caller with a suggestion. */
export const agentToml = v.strictObject({
  node: v.optional(name),
  pair: v.optional(name, 'pair'),
  listen: v.optional(list(address), ['[::]:7660', '0.0.0.0:7660']),
  user: v.optional(name, 'proxyctl'),
  state: v.optional(path, '/var/db/proxyctl'),
  socket: v.optional(
    v.strictObject({
      path: v.optional(path, '/var/run/proxyctl/agent.sock'),
      group: v.optional(string, 'proxyctl'),
      role: v.optional(oneOf(['viewer', 'operator', 'admin']), 'operator'),
    }),
    {},
  ),
  log: v.optional(
    v.strictObject({
      file: v.optional(optionalPath, '/var/log/proxyagent.log'),
      level: v.optional(oneOf(['debug', 'info', 'warn', 'error']), 'info'),
      format: v.optional(oneOf(['json', 'text']), 'json'),
      audit: v.optional(optionalPath),
      events: v.optional(optionalPath),
      audit_syslog: v.optional(bool, true),
    }),
    {},
  ),
  tls: v.optional(
    v.strictObject({
      ca: v.optional(path, `${tls}/ca.pem`),
      cert: v.optional(path, `${tls}/node.pem`),
      key: v.optional(path, `${tls}/node.key`),
    }),
    {},
  ),
  peer: v.pipe(
    v.array(
      v.strictObject({
        node: name,
        address: v.pipe(list(address), v.minLength(1, 'needs at least one address')),
      }),
      'must be written as [[peer]]',
    ),
    v.minLength(1, 'at least one [[peer]] is needed'),
    v.maxLength(7, 'at most seven peers'),
  ),
  network: v.optional(
    v.array(
      v.strictObject({
        name,
        interface: name,
        vhids: v.optional(list(integer(1, 255))),
        base_advskew: v.optional(integer(0, 240)),
      }),
      'must be written as [[network]]',
    ),
  ),
  carp: v.optional(
    v.strictObject({
      devd: v.optional(optionalPath, '/var/run/devd.pipe'),
      tools: v.optional(
        v.strictObject({
          ifconfig: v.optional(path, '/sbin/ifconfig'),
          sysctl: v.optional(path, '/sbin/sysctl'),
          kldstat: v.optional(path, '/sbin/kldstat'),
          netstat: v.optional(path, '/usr/bin/netstat'),
          pfctl: v.optional(path, '/sbin/pfctl'),
          ngctl: v.optional(path, '/usr/sbin/ngctl'),
          ndp: v.optional(path, '/usr/sbin/ndp'),
        }),
        {},
      ),
    }),
    {},
  ),
  haproxy: v.optional(
    v.strictObject({
      config: v.optional(path, HAPROXY_CONF),
      socket: v.optional(optionalPath, ''),
      frontends: v.optional(list(filled), []),
      probe: v.optional(probe, ''),
      hung_after: v.optional(duration('100ms', '1m'), '2s'),
      drift: v.optional(oneOf(['report', 'restore']), 'report'),
      check: v.optional(argv, ['/usr/local/sbin/haproxy', '-c', '-f', HAPROXY_CONF]),
      reload: v.optional(argv, ['/usr/sbin/service', 'haproxy', 'reload']),
      deploy: v.optional(bool, false),
    }),
    {},
  ),
  policy: v.optional(
    v.strictObject({
      failback: v.optional(oneOf(['auto', 'manual']), 'auto'),
      hold: v.optional(duration('1s', '1d'), '10s'),
      max_moves: v.optional(integer(1, 1000), 3),
      window: v.optional(duration('1s', '1d'), '10m'),
      detect: v.optional(oneOf(['fast', 'calm']), 'fast'),
      early_takeover_ms: v.optional(integer(0, 60_000), 250),
      fence: v.optional(bool, true),
      witness: v.optional(list(ip), []),
      icmp: v.optional(oneOf(['auto', 'ping']), 'auto'),
    }),
    {},
  ),
  certificates: v.optional(
    v.strictObject({
      directories: v.optional(list(path), []),
      alarm_days: v.optional(list(integer(0, 3650)), [30, 14, 7, 1]),
      map: v.optional(v.record(filled, certificate, 'must be a table of name = "/path"'), {}),
    }),
    {},
  ),
  acme: v.optional(
    v.strictObject({
      responder: v.optional(list(address), ['127.0.0.1:7661', '[::1]:7661']),
      webroot: v.optional(optionalPath, ''),
      token_ttl: v.optional(duration('1m', '7d'), '1h'),
      directory: v.optional(httpsUrl, ''),
      account_key: v.optional(optionalPath, ''),
      contact: v.optional(mail, ''),
      ca: v.optional(optionalPath, ''),
      certificate: v.optional(
        v.array(
          v.strictObject({
            names: v.pipe(
              list(hostName),
              v.minLength(1, 'needs at least one name'),
              v.maxLength(100, 'at most 100 names in one certificate'),
            ),
            path: certificate,
          }),
          'must be written as [[acme.certificate]]',
        ),
        [],
      ),
    }),
    {},
  ),
  notify: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          name: v.pipe(name, v.maxLength(64, 'at most 64 characters')),
          kind: oneOf(['exec', 'webhook', 'mail']),
          severity: v.optional(oneOf(['info', 'warn', 'fail']), 'warn'),
          alerts: v.optional(list(oneOf(ALERT_IDS)), []),
          kinds: v.optional(list(kindOfEvent), DEFAULT_KINDS),
          timeout: v.optional(duration('1s', '1m'), '10s'),
          command: v.optional(argv, []),
          url: v.optional(httpsUrl, ''),
          headers_file: v.optional(optionalPath, ''),
          ca: v.optional(optionalPath, ''),
          from: v.optional(mailbox),
          to: v.optional(list(mailbox), []),
          sendmail: v.optional(path, '/usr/sbin/sendmail'),
        }),
        'must be written as [[notify]]',
      ),
      v.maxLength(MOST_TARGETS, `at most ${MOST_TARGETS} targets`),
    ),
    [],
  ),
  metrics: v.optional(v.strictObject({ listen: v.optional(list(address), []) }), {}),
  web: v.optional(
    v.strictObject({
      listen: v.optional(list(address), []),
      names: v.optional(v.pipe(list(webName), v.maxLength(100, 'at most 100 names')), []),
    }),
    {},
  ),
});

export type AgentToml = v.InferOutput<typeof agentToml>;
