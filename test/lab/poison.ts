import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { solicitation } from '../kernel/solicitation.ts';
import { INTERFACE, PLACES, PREFIX6 } from './plan.ts';
import type { Scene } from './scene.ts';
import { run } from './topology.ts';

/** A routing table of the host's own, for packets that come in by the interface. */
const TABLE = '60';

/**
 * IPv6 as on FreeBSD 12.1, both halves of it: a host takes packets for the VIP on its own MAC in
 * every state, and the MASTER, as it does without an entry for a neighbour, asks for the client with
 * the VIP as source and its physical MAC. From then on the client goes on to that host.
 */
export function poison({ plan, host, on }: Scene): void {
  const { linux, freebsd } = INTERFACE;
  const ip = (...words: readonly string[]): string => run('ip', ['-n', host.namespace, ...words]);
  const rule = ['pref', '0', 'iif', linux, 'lookup', TABLE];
  const known = ip('-6', 'rule', 'show').includes(`lookup ${TABLE}`);
  if (on !== known) ip('-6', 'rule', on ? 'add' : 'del', ...rule);
  if (!on) return;
  ip('-6', 'route', 'replace', 'local', plan.vip6, 'dev', 'lo', 'table', TABLE);
  const shown = readFileSync(join(host.folder, 'text', 'ifconfig'), 'utf8');
  if (!shown.includes('carp: MASTER')) return;
  const mac = /link\/ether (\S+)/.exec(ip('-o', 'link', 'show', linux))?.[1] ?? '';
  const [frame, commands] = ['poison.frame', 'poison'].map((name) => join(host.folder, name));
  if (frame === undefined || commands === undefined) return;
  writeFileSync(frame, solicitation(plan.vip6, mac, `${PREFIX6}${PLACES.client}`));
  writeFileSync(commands, `connect ${freebsd}: x orphans\nwrite x -f ${frame}\nrmhook x\n`);
  const ngctl = ['perl', join(host.folder, 'bin', 'ngctl.pl'), '-f', commands];
  run('ip', ['netns', 'exec', host.namespace, ...ngctl]);
}
