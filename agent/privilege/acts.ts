import { wordsOf, type CarpActs, type CarpSet } from '../carp/acts.ts';
import { certificateFiles, CertificateFileError } from '../certs/files.ts';
import type { CertificateFiles, NewFile } from '../certs/port.ts';
import { sentence } from '../core/words.ts';
import { HelperError, type Helper } from './helper.ts';

/** Each of its tools is killed after 2 s; it looks, then sets: all vhids side by side. */
const TOOL_MS = 2000;
const ACT_MS = 5000;
/** It looks, loads two kernel modules the first time, then sends. */
const TELL_MS = 7000;
const COMMAND_MS = 35_000;

/** CARP's acts by the helper, many vhids in one request; advskew and state are one command there too. */
export const helperActs = (helper: Helper): CarpActs => ({
  async set(sets) {
    const words = sets.flatMap((one) => actsOf(one));
    // It looks at each interface once.
    const more = new Set(sets.map(({ vhid }) => vhid.interface)).size - 1;
    if (words.length > 0) await helper.ask(words, ACT_MS + more * TOOL_MS);
  },
  async advertise() {
    await helper.ask(['advertise'], ACT_MS);
  },
  async allow(on) {
    await helper.ask(['allow', on ? '1' : '0'], ACT_MS);
  },
  async tell(name, vhids) {
    try {
      await helper.ask(['tell', name, ...vhids.map(String)], TELL_MS);
    } catch (error) {
      // Said of the host, once: which vhids they were this time does not matter.
      const [, cause] =
        /^privileged helper, tell [^:]*: (?:failed: )?(.*)/.exec(sentence(error)) ?? [];
      throw new Error(cause ?? sentence(error), { cause: error });
    }
  },
});

const actsOf = ({ vhid, change }: CarpSet): string[] =>
  wordsOf(vhid, change).flatMap(([verb = '', value = '']) => [
    verb,
    vhid.interface,
    String(vhid.vhid),
    value,
  ]);

/** For an agent without rights: every act is refused, and says why. */
export function refusedActs(why: string): CarpActs {
  const refuse = (): Promise<never> => Promise.reject(new Error(why));
  return { set: refuse, advertise: refuse, allow: refuse, tell: refuse };
}

/**
 * Certificate files that this process may not touch: replaced by the helper with owner and mode
 * kept, read by it where they are not readable.
 */
export const helperFiles = (helper: Helper): CertificateFiles => ({
  async read(path) {
    try {
      return await certificateFiles.read(path);
    } catch (error) {
      if (!(error instanceof CertificateFileError) || error.code !== 'EACCES') throw error;
      return readByHelper(helper, path);
    }
  },
  async stage(files) {
    for (const file of files) await give(helper, 'cert-try', file);
  },
  async install(files) {
    for (const file of files) await give(helper, 'cert-write', file);
  },
  // `cert-try` leaves nothing, and the helper cleans up after itself.
  unstage: () => Promise.resolve(),
  async remove(path) {
    await helper.ask(['cert-remove', path], COMMAND_MS);
  },
});

async function give(helper: Helper, verb: string, { path, pem }: NewFile): Promise<void> {
  await helper.ask([verb, path, String(Buffer.byteLength(pem))], COMMAND_MS, pem);
}

/** A certificate file as root reads it. What is not there is the same error as without the helper. */
export async function readByHelper(helper: Helper, path: string): Promise<string> {
  try {
    // It waits its turn behind a check of the configuration, which takes seconds.
    return decode(await helper.ask(['cert-read', path], COMMAND_MS));
  } catch (error) {
    if (!(error instanceof HelperError) || !/: failed: no such file/.test(error.message))
      throw error;
    throw new CertificateFileError('read', path, Object.assign(error, { code: 'ENOENT' }));
  }
}

/** Bytes as od(1) prints them. */
const decode = (lines: readonly string[]): string =>
  Buffer.from(lines.join('').replaceAll(/\s/g, ''), 'hex').toString('utf8');
