import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { solicitation } from '../kernel/solicitation.ts';
import { INTERFACE, PLACES, PREFIX6 } from './plan.ts';
import type { Scene } from './scene.ts';
import { run } from './topology.ts';

/**
 * IPv6 as on FreeBSD 12.1: the MASTER, as it does without an entry for a neighbour, asks for the
 * client with the VIP as source and its physical MAC. From then on the client goes on to that host,
 * which takes packets for the VIP on its own MAC in every state.
 */
export function poison({ plan, host, on }: Scene): void {
  if (!on) return;
  const { linux, freebsd } = INTERFACE;
  const shown = readFileSync(join(host.folder, 'text', 'ifconfig'), 'utf8');
  if (!shown.includes('carp: MASTER')) return;
  const link = run('ip', ['-n', host.namespace, '-o', 'link', 'show', linux]);
  const mac = /link\/ether (\S+)/.exec(link)?.[1] ?? '';
  const [frame, commands] = ['poison.frame', 'poison'].map((name) => join(host.folder, name));
  if (frame === undefined || commands === undefined) return;
  writeFileSync(frame, solicitation(plan.vip6, mac, `${PREFIX6}${PLACES.client}`));
  writeFileSync(commands, `connect ${freebsd}: x orphans\nwrite x -f ${frame}\nrmhook x\n`);
  const ngctl = ['perl', join(host.folder, 'bin', 'ngctl.pl'), '-f', commands];
  run('ip', ['netns', 'exec', host.namespace, ...ngctl]);
}
