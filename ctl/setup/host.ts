import { createTwoFilesPatch } from 'diff';
import { withoutSecrets } from '../../agent/core/secrets.ts';
import { mergePfConf, remarksOnPf } from './pf-conf.ts';
import type { Generated } from './plan.ts';
import { mergeRcConf, passwordIn, remarksOn, settingsIn } from './rc-conf.ts';
import { mergeLoaderConf, mergeSysctlConf } from './small-files.ts';

/** A file as it is on a host; null where there is none. */
export interface Present {
  readonly text: string;
  readonly mode: number;
}

/** What `--write` would do to one file. */
export interface Change {
  /** Without the leading slash. */
  readonly path: string;
  readonly before: Present | null;
  readonly text: string;
  readonly mode: number;
  /** What the administrator should know of it, in sentences. */
  readonly remarks: readonly string[];
}

/** Files with a secret are 0600 from now on, whatever they were. */
const isSecret = (path: string): boolean => path === 'etc/rc.conf' || path.endsWith('.key');

/** What this file is to become where that one stands; null: it is as it should be. */
export function changeOf(file: Generated, before: Present | null): Change | null {
  const text = before === null ? file.text : merged(file, before.text);
  const loose = before !== null && isSecret(file.path) && (before.mode & ~file.mode & 0o777) !== 0;
  const mode = before === null || loose || file.path.endsWith('.key') ? file.mode : before.mode;
  if (before !== null && before.text === text && before.mode === mode) return null;
  return { path: file.path, before, text, mode, remarks: remarksFor(file, before) };
}

/** What changing CARP's password on hosts that run takes: each order but the right one makes two MASTERs. */
function rotation(before: string, text: string): string[] {
  const [old, password] = [passwordIn(before), passwordIn(text)];
  if (old === null || password === null || old === password) return [];
  const shorter =
    password.length < old.length
      ? '; shorter than the old one: only a restart of the interface clears the old end in the kernel'
      : '';
  return [
    `gets another CARP password: while the hosts differ, both take the addresses; see runbooks/carp-password.md of the guide${shorter}`,
  ];
}

function merged(file: Generated, before: string): string {
  switch (file.path) {
    case 'etc/rc.conf':
      return mergeRcConf(before, settingsIn(file.text));
    case 'etc/pf.conf':
      return mergePfConf(before, file.text);
    case 'etc/sysctl.conf':
      return mergeSysctlConf(before, file.text.includes('preempt=1'));
    case 'boot/loader.conf':
      return mergeLoaderConf(before);
    default:
      return file.text;
  }
}

function remarksFor({ path, text }: Generated, before: Present | null): string[] {
  if (before === null) return [];
  if (path === 'etc/rc.conf') return [...remarksOn(before.text), ...rotation(before.text, text)];
  if (path === 'etc/pf.conf') return remarksOnPf(before.text);
  const whole = path.endsWith('.conf') || path.endsWith('.toml');
  if (whole && path.startsWith('usr/') && !before.text.includes('written by proxyctl setup'))
    return ['was not written by setup, and is replaced as a whole'];
  return [];
}

/** A unified diff without any secret: passwords and private keys are not shown. */
export function diffText({ path, before, text, mode }: Change): string {
  const name = `/${path}`;
  const what = before === null ? 'new' : before.text === text ? 'the same' : 'another';
  if (path.endsWith('.key')) return `${name}: ${what} private key, mode ${shownMode(mode)}\n`;
  if (path.endsWith('.pem')) return `${name}: ${what} certificate\n`;
  const patch = createTwoFilesPatch(
    before === null ? '/dev/null' : name,
    name,
    before?.text ?? '',
    text,
    '',
    '',
    { context: 2 },
  );
  const all = patch.split('\n');
  const lines = all.slice(all.findIndex((line) => line.startsWith('--- ')));
  const shown = lines.some((line) => line.startsWith('@@')) ? hidden(path, lines.join('\n')) : '';
  const tightened =
    before !== null && before.mode !== mode
      ? `${name}: mode ${shownMode(before.mode)} -> ${shownMode(mode)}, it holds a secret\n`
      : '';
  return `${tightened}${shown}`;
}

const shownMode = (mode: number): string => mode.toString(8).padStart(4, '0');

/** Stars of one length in place of passwords. pf.conf has none, and `pass` is another word there. */
const hidden = (path: string, text: string): string =>
  path === 'etc/pf.conf' ? text : withoutSecrets(text, '********');

/** What an administrator runs after these files were written, in this order. Nothing is run by setup. */
export function commandsAfter(
  paths: readonly string[],
  files: readonly Generated[],
  installed: boolean,
): string[] {
  const touched = (start: string): boolean => paths.some((path) => path.startsWith(start));
  const rc = files.find(({ path }) => path === 'etc/rc.conf');
  const on = rc === undefined ? '' : settingsIn(rc.text).interface;
  const sysctl = files.find(({ path }) => path === 'etc/sysctl.conf')?.text.trim() ?? '';
  return [
    ...(touched('boot/loader.conf') ? ['kldload -n carp'] : []),
    ...(touched('etc/sysctl.conf') ? [`sysctl ${sysctl}`] : []),
    ...(touched('etc/pf.conf')
      ? ['pfctl -nf /etc/pf.conf && service pf enable && service pf restart']
      : []),
    ...(touched('etc/rc.conf')
      ? [`service netif restart ${on} && service routing restart   # on the console`]
      : []),
    ...(touched('usr/local/etc/haproxy.conf')
      ? ['service haproxy configtest && service haproxy restart']
      : []),
    // The agent reads its key again on SIGHUP, as the user it runs as.
    ...(installed
      ? []
      : ['pkg add proxyctl-VERSION.pkg, then this again: the key is for its group']),
    ...(touched('usr/local/etc/proxyctl/')
      ? ['proxyagent --check && service proxyagent restart']
      : []),
  ];
}
