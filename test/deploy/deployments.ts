import type { Deployment } from '../../agent/core/deploy/deployment.ts';

/** A deployment of one file, for the nodes of the tests. */
export const deploymentOf = (change: Partial<Deployment> = {}): Deployment => ({
  purpose: 'push',
  pair: 'web',
  nodes: ['haproxy01', 'haproxy02'],
  madeS: 1_800_000_000,
  untilS: 1_800_000_900,
  number: 1_800_000_000_123,
  form: 'file',
  reason: 'more room',
  files: [{ path: 'haproxy.conf', content: Buffer.from('global\n\tmaxconn 1000\n') }],
  ...change,
});
