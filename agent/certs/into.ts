import { dirname, normalize } from 'node:path';
import type { NewInto } from '../core/acts.ts';
import { crtListEntries } from '../haproxy/crt-list.ts';
import type { LoadedEntry } from '../haproxy/crt-list-commands.ts';
import { notFoundByName } from './crt-ending.ts';
import { ifThere } from './disk.ts';
import type { SwapItem } from './entry.ts';
import { refuse } from './failure.ts';
import { CertificateFileError } from './files.ts';
import { answerTooLong } from './many-names.ts';
import { covers } from './names.ts';
import type { Bundle } from './pem.ts';
import type { NodeSwapParts } from './port.ts';
import { tooLargeFor } from './size.ts';

/** What is asked of this node: a certificate at `path` that is one of a crt-list. */
interface Wanted {
  /** Null: beside the list's first certificate, by the first name in the new one. */
  readonly path: string | null;
  readonly into: NewInto;
  readonly bundle: Bundle;
  readonly version: string;
}

/** Where the new certificate goes, and the line that names it. */
type NewPlace = Pick<SwapItem, 'path' | 'oldPem' | 'newPem' | 'files' | 'warnings'> & {
  readonly into: NonNullable<SwapItem['into']>;
};

/**
 * Everything that can refuse a new certificate of a crt-list on this node. Resolves to where it
 * goes; `into` null: the list has this path already, and it is replaced as by any push. Rejects
 * with ActFailure.
 */
export async function placeInto(
  parts: NodeSwapParts,
  wanted: Wanted,
): Promise<NewPlace | { readonly path: string; readonly into: null }> {
  const { node, haproxy, files, map } = parts;
  const { into, bundle, version } = wanted;
  const list = (map[into.list] ?? into.list).replace(/(?<=.)\/+$/, '');
  refuseFilters(into.filters);
  const text = await listText(parts, list);
  const entries = await haproxy.listed(list);
  const path =
    wanted.path === null
      ? defaultPath(node, list, entries, bundle)
      : (map[wanted.path] ?? wanted.path);
  if (!/^\/[\w.+%=,@/-]+$/.test(path) || normalize(path) !== path || path.endsWith('/'))
    throw refuse(
      'usage',
      'path_not_plain',
      `${path}: a new certificate needs a plain absolute path`,
      'letters, digits and ._+%=,@- stand in a crt-list as they are',
      'name such a path: --as PATH',
    );
  const loaded = (await haproxy.paths()).includes(path);
  if (loaded && entries.some((one) => one.path === path)) return { path, into: null };
  if (loaded)
    throw refuse(
      'conflict',
      'path_loaded',
      `HAProxy on ${node} has ${path} already, and not through ${list}`,
      'a certificate that is loaded is replaced, not added',
      'push it without --into, or name another place: --as PATH',
    );
  const line = [path, ...into.filters].join(' ');
  if (crtListEntries(text, '').some((one) => one.path === path))
    throw refuse(
      'conflict',
      'list_ahead',
      `${list} on ${node} names ${path}, and HAProxy has not loaded it`,
      'the file was changed since HAProxy has read it',
      'take that line out, or reload HAProxy, then push again',
    );
  const there = await ifThere(files, path);
  if (there !== null && there !== bundle.pem)
    throw refuse(
      'conflict',
      'file_exists',
      `${path} on ${node} is there already with other content`,
      'HAProxy has not loaded it, and nothing of somebody else is overwritten',
      'move it away, or name another place: --as PATH',
    );
  refuseByReload(`${path} on ${node}`, list, line, [
    tooLargeFor(version, path, bundle.pem),
    notFoundByName(version, path, NO_OTHER_FILE),
    answerTooLong(path, bundle.pem) ? 'it has too many names for HAProxy to say which it is' : null,
  ]);
  const others = await othersFor(parts, entries);
  const names = asked(into, bundle);
  const twice = names.filter((name) => others.has(name.toLowerCase()));
  const alone = names.filter((name) => !twice.includes(name));
  const uncovered = into.filters.filter(
    (filter) => !filter.startsWith('!') && !covers(bundle.names, filter),
  );
  return {
    path,
    oldPem: there ?? '',
    newPem: bundle.pem,
    // The certificate first: a list that names a file which is not there keeps HAProxy from starting.
    files: [
      { path, oldPem: there ?? '', newPem: bundle.pem },
      { path: list, oldPem: text, newPem: withLine(text, line) },
    ],
    into: { list, line, names: alone.length > 0 ? alone : names },
    warnings: [
      ...twice.map((name) => `${name} is served by ${others.get(name.toLowerCase())} too`),
      ...uncovered.map((filter) => `it is not valid for ${filter}`),
    ],
  };
}

/** One that nobody has been served: there is no fingerprint before it. */
export const newItem = (name: string, bundle: Bundle, place: NewPlace): SwapItem => ({
  name,
  already: false,
  reload: false,
  fingerprintBefore: '',
  fingerprintOld: '',
  fingerprint: bundle.sha1,
  sha256: bundle.sha256,
  notAfter: bundle.notAfter,
  names: bundle.names,
  ...place,
  warnings: [
    ...bundle.warnings,
    ...bundle.mends.map(({ seen, done }) => `${seen}: ${done}`),
    ...place.warnings,
  ],
});

const NO_OTHER_FILE = { certificate: '', key: null, ocsp: null, issuer: null, sctl: null };

const withLine = (text: string, line: string): string =>
  `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`;

/** What somebody else has added to the list meanwhile stays. */
export const withoutLine = (text: string, line: string): string =>
  text
    .split('\n')
    .filter((one) => one !== line)
    .join('\n');

function refuseFilters(filters: readonly string[]): void {
  const [bad] = filters.filter((one) => !/^!?(?:\*\.)?[\w-]+(?:\.[\w-]+)*$/.test(one));
  if (bad === undefined) return;
  throw refuse(
    'usage',
    'bad_filter',
    `${bad}: not a server name`,
    'a filter is NAME, *.NAME, or either with ! before it',
    'correct it: --sni NAME',
  );
}

async function listText({ node, haproxy, files }: NodeSwapParts, list: string): Promise<string> {
  const lists = await haproxy.crtLists();
  if (!lists.includes(list) || !list.startsWith('/'))
    throw refuse(
      'not-found',
      'list_unknown',
      `HAProxy on ${node} uses no crt-list ${list}`,
      `it uses: ${lists.join(', ') || 'none'}`,
      'name one by its absolute path, or put it on a bind line and reload HAProxy',
    );
  try {
    return await files.read(list);
  } catch (error) {
    if (!(error instanceof CertificateFileError) || error.code !== 'EISDIR') throw error;
    throw refuse(
      'usage',
      'list_is_directory',
      `${list} on ${node} is a directory, not a crt-list`,
      'HAProxy has no order of names there, and loads every file in it at a reload',
      `put the bundle into ${list} and reload HAProxy on every node`,
    );
  }
}

/** Beside the first certificate that is a file; `*` is no character for a file's name. */
function defaultPath(
  node: string,
  list: string,
  entries: readonly LoadedEntry[],
  { names }: Bundle,
): string {
  const beside = entries.find(({ path }) => path.startsWith('/'));
  const name = names.find((one) => /^(?:\*\.)?[\w-]+(?:\.[\w-]+)+$/.test(one));
  if (beside !== undefined && name !== undefined)
    return `${dirname(beside.path)}/${name.toLowerCase().replace('*', '_')}.pem`;
  throw refuse(
    'usage',
    'path_missing',
    `where the new certificate of ${list} goes on ${node} is not known`,
    beside === undefined ? 'no line of the list has a path' : 'the certificate has no DNS name',
    'name its place: --as PATH',
  );
}

function refuseByReload(
  what: string,
  list: string,
  line: string,
  causes: readonly (string | null)[],
): void {
  const [cause] = causes.filter((one) => one !== null);
  if (cause === undefined) return;
  throw refuse(
    'failed',
    'not_by_runtime',
    `${what}: this HAProxy cannot add it while it runs`,
    cause,
    `put the file there, the line "${line}" into ${list}, and reload HAProxy`,
  );
}

/** Which certificate of the list is served for a name, by the name in lower case. */
async function othersFor(
  { haproxy }: NodeSwapParts,
  entries: readonly LoadedEntry[],
): Promise<ReadonlyMap<string, string>> {
  const byOwnNames = entries.filter(({ filters }) => filters.length === 0);
  const loaded = await haproxy.loadedAll(byOwnNames.map(({ path }) => path));
  return new Map([
    ...byOwnNames.flatMap(({ path }, at) =>
      (loaded[at]?.names ?? []).map((name): [string, string] => [name.toLowerCase(), path]),
    ),
    ...entries.flatMap(({ path, filters }) =>
      filters.map((name): [string, string] => [name.toLowerCase(), path]),
    ),
  ]);
}

/** The server names that a client is to get it for. */
function asked({ filters }: NewInto, { names }: Bundle): readonly string[] {
  const wanted = filters.filter((one) => !one.startsWith('!'));
  return wanted.length > 0 ? wanted : names.filter((name) => !filters.includes(`!${name}`));
}
