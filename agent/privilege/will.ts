import type { Helper } from './helper.ts';

/** An address as the helper finds it. */
interface WillVhid {
  readonly interface: string;
  readonly vhid: number;
}

/**
 * What the helper is to do where nobody else can: told to end together with everything else, as by
 * reboot(8), and HAProxy, `pid`, dead, it steps out of these vhids. Resolves once it knows.
 */
export type Will = (pid: number, vhids: readonly WillVhid[]) => Promise<void>;

const WILL_MS = 5000;

/** Said again only when it changed. */
export function helperWill(helper: Helper): Will {
  let said = '';
  return async (pid, vhids) => {
    const words = [
      'will',
      String(pid),
      ...vhids.flatMap(({ interface: name, vhid }) => [name, String(vhid)]),
    ];
    const text = words.join(' ');
    if (text === said) return;
    said = text;
    await helper.ask(words, WILL_MS).catch((error: unknown) => {
      said = '';
      throw error;
    });
  };
}
