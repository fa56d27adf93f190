import { rcVariables } from '../../agent/core/doctor/rc-text.ts';
import { settingsIn } from './rc-conf.ts';

/** Files that rc(8) reads after rc.conf when it sets up the network, in their order. */
export const RC_LATER = ['etc/rc.conf.local', 'etc/rc.conf.d/network', 'etc/rc.conf.d/netif'];

/**
 * What other files set of that which is in `rcConf`, the rc.conf that setup made, and which counts
 * in its place: a sentence for each file.
 */
export function remarksOnLater(
  rcConf: string,
  later: readonly { readonly path: string; readonly text: string }[],
): string[] {
  const { interface: on, plain } = settingsIn(rcConf);
  const wanted = new Map(plain);
  const ours = new RegExp(`^ifconfig_${on}(?:_ipv6|_alias\\d+|_aliases)?$`);
  return later.flatMap(({ path, text }) => {
    const found = rcVariables(text).filter(
      ({ name, value }) => ours.test(name) || (wanted.has(name) && wanted.get(name) !== value),
    );
    if (found.length === 0) return [];
    const names = found.slice(0, NAMED).map(({ name, line }) => `${name} (line ${line})`);
    const more = found.length > NAMED ? ` and ${found.length - NAMED} more` : '';
    const them = found.length === 1 ? 'it' : 'them';
    return [`does not count for ${names.join(', ')}${more} of /${path}: take ${them} out there`];
  });
}

const NAMED = 5;
