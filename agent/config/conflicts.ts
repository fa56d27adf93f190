import type { Path } from './issues.ts';

/** Where FreeBSD's port of HAProxy has its configuration. */
export const HAPROXY_CONF = '/usr/local/etc/haproxy.conf';

interface Conflict {
  readonly path: Path;
  readonly message: string;
}

/** What only shows when several values are looked at together. */
export function conflicts(raw: unknown, own: string): Conflict[] {
  if (!isTable(raw)) return [];
  const found: Conflict[] = [];
  const seen = new Set<unknown>();
  for (const [at, peer] of tables(raw['peer']).entries()) {
    const { node } = peer;
    if (node === own)
      found.push({ path: ['peer', at, 'node'], message: `is this node itself (${own})` });
    if (typeof node === 'string' && seen.has(node))
      found.push({ path: ['peer', at, 'node'], message: `${node} is named twice` });
    seen.add(node);
  }
  const networks = new Set<unknown>();
  for (const [at, network] of tables(raw['network']).entries()) {
    const { name } = network;
    if (typeof name === 'string' && networks.has(name))
      found.push({ path: ['network', at, 'name'], message: `${name} is named twice` });
    networks.add(name);
  }
  return [
    ...found,
    ...deployConflicts(raw['haproxy']),
    ...acmeConflicts(raw['acme']),
    ...notifyConflicts(tables(raw['notify'])),
  ];
}

/** A new configuration is checked under another name, which stands where the command names the real one. */
function deployConflicts(haproxy: unknown): Conflict[] {
  if (!isTable(haproxy) || haproxy['deploy'] !== true) return [];
  const { config = HAPROXY_CONF, check = ['-f', HAPROXY_CONF] } = haproxy;
  if (!Array.isArray(check) || typeof config !== 'string' || check.includes(config)) return [];
  const message = `needs haproxy.check with ${config} as a word of its own: there it names a new one`;
  return [{ path: ['haproxy', 'deploy'], message }];
}

/** What each kind of target needs, and what says nothing there. */
const NOTIFY_KEYS: Readonly<Record<string, { must: readonly string[]; may: readonly string[] }>> = {
  exec: { must: ['command'], may: [] },
  webhook: { must: ['url'], may: ['headers_file', 'ca'] },
  mail: { must: ['from', 'to'], may: ['sendmail'] },
};

function notifyConflicts(targets: readonly Readonly<Record<string, unknown>>[]): Conflict[] {
  const names = new Set<unknown>();
  return targets.flatMap((target, at): Conflict[] => {
    const { name, kind } = target;
    const twice = names.has(name);
    names.add(name);
    const keys = typeof kind === 'string' ? NOTIFY_KEYS[kind] : undefined;
    const { must, may } = keys ?? { must: [], may: [] };
    const others = Object.values(NOTIFY_KEYS)
      .flatMap((one) => [...one.must, ...one.may])
      .filter((key) => keys !== undefined && !must.includes(key) && !may.includes(key));
    const empty = (value: unknown): boolean =>
      value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
    return [
      ...(twice && typeof name === 'string'
        ? [{ path: ['notify', at, 'name'], message: `${name} is named twice` }]
        : []),
      ...must
        .filter((key) => empty(target[key]))
        .map((key) => ({
          path: ['notify', at],
          message: `needs ${key}: it is of kind ${String(kind)}`,
        })),
      ...others
        .filter((key) => !empty(target[key]))
        .map((key) => ({
          path: ['notify', at, key],
          message: `says nothing for one of kind ${String(kind)}; leave it out`,
        })),
    ];
  });
}

function acmeConflicts(acme: unknown): Conflict[] {
  if (!isTable(acme)) return [];
  const found: Conflict[] = [];
  const certificates = tables(acme['certificate']);
  const { directory = '', responder } = acme;
  if (directory === '' && certificates.length > 0)
    found.push({
      path: ['acme', 'certificate'],
      message: "needs acme.directory, the URL of the CA's ACME directory",
    });
  if (directory !== '' && certificates.length === 0)
    found.push({
      path: ['acme', 'directory'],
      message: 'orders nothing: name certificates with [[acme.certificate]], names and path',
    });
  if (directory !== '' && Array.isArray(responder) && responder.length === 0)
    found.push({
      path: ['acme', 'responder'],
      message: 'must not be empty with acme.directory: it answers the CA',
    });
  const paths = new Set<unknown>();
  for (const [at, { path, names }] of certificates.entries()) {
    const place: Path = ['acme', 'certificate', at];
    if (typeof path === 'string' && paths.has(path))
      found.push({ path: [...place, 'path'], message: `${path} is named twice` });
    paths.add(path);
    const twice = Array.isArray(names)
      ? names.find((name, where) => names.indexOf(name) !== where)
      : undefined;
    if (typeof twice === 'string')
      found.push({ path: [...place, 'names'], message: `${twice} is named twice` });
  }
  return found;
}

/** A table of TOML. */
export const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const tables = (value: unknown): Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? value.filter(isTable) : [];
