import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sentence } from '../core/words.ts';
import type { Exec } from '../sys/exec.ts';
import { advertisementFrame } from './advertisement.ts';
import { parseIfconfig } from './ifconfig.ts';

/**
 * Tells the IPv6 neighbours on an interface where its MASTER vhids are, those of `vhids`; without
 * one, tries whether they could be told. Rejects with a sentence when they could not.
 */
export type Tell = (name: string, vhids: readonly number[]) => Promise<void>;

/**
 * By this process, as root: frames through ng_ether(4)'s hook `orphans`, which leaves all other
 * traffic alone, from what ifconfig says. helper.sh does the same for an agent that is not root.
 */
export function directTell(
  exec: Exec,
  tools: { readonly ifconfig: string; readonly ngctl: string },
): Tell {
  let loaded = false;
  return async (name, vhids) => {
    const frames = framesOf(name, vhids, await exec(tools.ifconfig, [name]));
    // Where it cannot be loaded, as in a jail, ngctl says what is missing.
    if (!loaded) await exec('/sbin/kldload', ['-n', 'ng_ether', 'ng_socket']).catch(() => '');
    loaded = true;
    const folder = await mkdtemp(join(tmpdir(), 'proxyagent.'));
    try {
      const files = frames.map((_, at) => join(folder, String(at + 1)));
      for (const [at, file] of files.entries()) await writeFile(file, frames[at] ?? '');
      const commands = join(folder, 'commands');
      // The node is called as its interface, but for what would be a path in its name.
      const connect = `connect ${name.replaceAll(/[.:]/g, '_')}: x orphans`;
      const lines = [connect, ...files.map((file) => `write x -f ${file}`), 'rmhook x', ''];
      await writeFile(commands, lines.join('\n'));
      await exec(tools.ngctl, ['-f', commands]).catch((error: unknown) => {
        // The same words each time, without the directory.
        throw new Error(sentence(error).replace(` -f ${commands}`, ''), { cause: error });
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

const framesOf = (name: string, vhids: readonly number[], text: string): readonly Buffer[] =>
  toTell(name, vhids, text).map(({ source, vhid, vip }) => advertisementFrame(source, vhid, vip));

/** An IPv6 address that is here, and the link-local address of its interface. */
export interface Told {
  readonly source: string;
  readonly vhid: number;
  readonly vip: string;
}

/**
 * The IPv6 addresses of those vhids that are MASTER in ifconfig's text. Throws with a sentence where
 * their interface has no link-local address.
 */
export function toTell(name: string, vhids: readonly number[], text: string): readonly Told[] {
  const { carp, vrrp, interfaces } = parseIfconfig(text);
  const all = [...carp, ...vrrp.map((one) => ({ ...one, vhid: one.vrid }))];
  const wanted = all.filter(({ vhid, state }) => vhids.includes(vhid) && state === 'MASTER');
  const own = interfaces.flatMap(({ addresses }) => addresses);
  const source = own.find((address) => address.startsWith('fe80:'))?.replace(/\/\d+$/, '');
  return wanted.flatMap(({ vhid, vips }) =>
    vips
      .filter((vip) => /^[^.%]*:[^.%]*(%|$)/.test(vip))
      .map((vip) => {
        if (source === undefined)
          throw new Error(`${name} has no link-local address to tell neighbours from`);
        return { source, vhid, vip };
      }),
  );
}
