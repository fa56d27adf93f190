import { readFileSync } from 'node:fs';
import { chooseContext } from '../connect/contexts.ts';
import { readKey } from '../connect/passphrase.ts';
import { usage } from '../failure.ts';
import type { CommonOptions } from '../session.ts';

/** Who signs a configuration. */
export interface Signer {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

/** The certificate and key of the chosen context. Rejects with ActFailure 'usage' where it has none. */
export async function signerOf({ config, context }: CommonOptions): Promise<Signer> {
  const { name, targets } = await chooseContext({
    config: config ?? null,
    context: context ?? null,
    env: process.env,
  });
  const own = targets.find((target) => target.kind === 'tls');
  if (own === undefined)
    throw usage(
      `context ${name} has no key to sign with`,
      'use one with agents, cert and key of an admin: proxyctl context list',
      'root on each host takes only what an admin has signed; a unix socket signs nothing',
    );
  return { certificate: readFileSync(own.cert, 'utf8'), key: await readKey(own.key) };
}
