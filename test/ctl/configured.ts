import { createHash } from 'node:crypto';
import type { ServersAnswer } from '../../agent/core/answers.ts';
import { masker } from '../../agent/core/haproxy-config/mask.ts';
import {
  hashedMark,
  NO_CONFIG,
  secretText,
  type ConfigReading,
} from '../../agent/core/haproxy-config/reading.ts';
import type { ControlVerbs } from '../../agent/core/verbs.ts';
import { keyedHash } from '../../agent/haproxy/config-reading.ts';
import { readConfig } from '../../agent/verbs/config.ts';
import { FakeClock } from '../fake-clock.ts';
import { memberOf, pairOf } from '../scripted.ts';

/** What an agent finds where a file has this text: hidden with the key of the question. */
export function readingOf(
  text: string,
  key: Uint8Array,
  more: Partial<ConfigReading> = {},
): ConfigReading {
  const mask = masker((place, value) =>
    hashedMark(keyedHash(key, createHash('sha256').update(secretText(place, value)).digest())),
  );
  const masked = text.split('\n').map(mask).join('\n');
  return {
    ...NO_CONFIG,
    files: [{ path: '/usr/local/etc/haproxy.conf', text: masked, changedAt: AT }],
    version: '0123456789ab',
    startedAt: '2027-03-02T12:00:00.000Z',
    loaded: 'yes',
    ...more,
  };
}

const AT = '2027-03-01T12:00:00.000Z';

/** A pair whose nodes have these texts; null: that one's agent fails. */
export function pairWith(
  texts: Readonly<Record<string, string | null>>,
  servers: ServersAnswer | null = null,
  more: Partial<ConfigReading> = {},
): Partial<ControlVerbs> {
  const members = Object.entries(texts).map(([node, text]) =>
    memberOf(node, {
      readConfig: (key) =>
        text === null
          ? Promise.reject(new Error('no answer'))
          : Promise.resolve(readingOf(text, key, more)),
    }),
  );
  const pair = pairOf(members, { clock: new FakeClock() });
  return {
    readConfig: (ask) => readConfig(pair, ask),
    ...(servers === null ? {} : { servers: () => Promise.resolve(servers) }),
  };
}
