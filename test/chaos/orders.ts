import type { Step } from './words.ts';

/** What an operator's command line is to change: each of `wishes` is to become `value`. */
export interface Order {
  readonly argv: readonly string[];
  readonly wishes: readonly string[];
  readonly value: string;
}

const SERVER = 'WEB/web1';

/** The command line of a verb. `cert push` needs the file and its fingerprint. */
export function orderOf({ name, node }: Step, cert: { path: string; sha1: string } | null): Order {
  const of = node ?? '';
  switch (name) {
    case 'failover':
      return { argv: ['failover', '--to', of], wishes: ['pin'], value: of };
    case 'failback':
      return { argv: ['failback'], wishes: ['pin'], value: 'none' };
    case 'drain':
    case 'ready':
      return { argv: [name, SERVER], wishes: [SERVER], value: name };
    case 'maintenance-on':
      return { argv: ['maintenance', 'on', of], wishes: [`maintenance ${of}`], value: 'on' };
    case 'maintenance-off':
      return { argv: ['maintenance', 'off', of], wishes: [`maintenance ${of}`], value: 'off' };
    case 'pause':
      return { argv: ['pause'], wishes: ['pause'], value: 'on' };
    case 'resume':
      return { argv: ['resume'], wishes: ['pause'], value: 'off' };
    case 'cert-push':
      return {
        argv: ['cert', 'push', cert?.path ?? ''],
        wishes: ['cert', 'cert on disk'],
        value: cert?.sha1 ?? '',
      };
    default:
      throw new Error(`no verb ${name}`);
  }
}

/** Every wish of a lab and what it is before anybody asked: what is looked at after each episode. */
export const firstWishes = (nodes: readonly string[], sha1: string): Map<string, string> =>
  new Map([
    ['pin', 'none'],
    [SERVER, 'ready'],
    ['pause', 'off'],
    ['cert', sha1],
    ['cert on disk', sha1],
    ...nodes.map((node) => [`maintenance ${node}`, 'off'] as const),
  ]);
