import { spawn } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { reach } from '../connect/client.ts';
import { chooseContext, configPath } from '../connect/contexts.ts';
import { cachePath, remember, type Remembered, type Which } from './cache.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Names are asked for again after so long, ms, and not more often than that. */
const FRESH_MS = 30_000;
const BETWEEN_MS = 10_000;
const CONNECT_MS = 1000;

/**
 * Has a child of its own ask for the names, where those that are known are old; this process does
 * not wait for it. The child has no terminal: a key with a passphrase is not asked for.
 */
export function refreshLater(which: Which, known: Remembered | null, env: Env): void {
  if (known !== null && known.servers !== null && Date.now() - known.atMs < FRESH_MS) return;
  const mark = `${cachePath(which, env)}.asked`;
  const asked = statSync(mark, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (Date.now() - asked < BETWEEN_MS) return;
  try {
    mkdirSync(dirname(mark), { recursive: true, mode: 0o700 });
    writeFileSync(mark, '', { mode: 0o600 });
    const [program = ''] = process.argv.slice(1);
    const words = [program, '__complete', 'refresh', which.config, which.context ?? ''];
    spawn(process.execPath, words, { detached: true, stdio: 'ignore' })
      .on('error', () => undefined)
      .unref();
  } catch {
    // A home that cannot be written to has no completion of names.
  }
}

/** Asks an agent for everything that has a name. Rejects where none answers. */
export async function refresh({ config, context }: Which, env: Env): Promise<void> {
  // The default path may be absent, where this host's own socket is used; a named one may not.
  const usual = configPath({ config: null, context: null, env: {} }) === config;
  const chosen = await chooseContext({ config: usual ? null : config, context, env });
  const agent = await reach(chosen, CONNECT_MS, () => undefined);
  try {
    const [status, servers, certificates] = await Promise.all([
      agent.status(),
      agent.servers(null).catch(() => null),
      agent.certificates(false).catch(() => null),
    ]);
    const backends = (servers?.nodes ?? []).flatMap((node) =>
      node.servers.flatMap(({ backend, name }) => [backend, `${backend}/${name}`]),
    );
    const own = (certificates?.nodes ?? []).flatMap((node) =>
      node.certificates.map(({ name }) => name),
    );
    remember({ config, context }, env, chosen.name, status, {
      ...(servers === null ? {} : { servers: backends }),
      ...(certificates === null ? {} : { certificates: own }),
    });
  } finally {
    agent.close();
  }
}
