import { isLineTime, jsonLine, objectIn } from '../lines.ts';
import { AUDIT_EVENTS, type AuditEntry, type AuditWho } from './audit.ts';

/** An entry with nothing said but when and where. */
export const NOTHING: Omit<AuditEntry, 'time' | 'node' | 'event' | 'what'> = {
  who: null,
  from: '',
  claimed: null,
  reason: '',
  requestId: '',
  dryRun: false,
  objects: [],
  objectsCount: 0,
  args: {},
  asked: [],
  askedCount: 0,
  outcome: '',
  code: '',
  message: '',
  changed: null,
  nodes: [],
  tookMs: null,
  count: null,
};

/**
 * One line of JSON without its end; what does not apply is absent. Whatever a terminal would obey
 * or not show is escaped.
 */
export function auditLine(entry: AuditEntry): string {
  const { time, node, event, what, who, from, claimed, objects, asked, nodes, args } = entry;
  return jsonLine({
    time,
    node,
    event,
    what,
    who: who ?? undefined,
    from: said(from),
    claimed: claimed ?? undefined,
    reason: said(entry.reason),
    request_id: said(entry.requestId),
    dry_run: entry.dryRun || undefined,
    objects: some(objects),
    objects_count: entry.objectsCount > objects.length ? entry.objectsCount : undefined,
    args: Object.keys(args).length === 0 ? undefined : args,
    asked: some(asked.map(({ actor, requestId }) => ({ actor, request_id: requestId }))),
    asked_count: entry.askedCount > asked.length ? entry.askedCount : undefined,
    outcome: said(entry.outcome),
    code: said(entry.code),
    message: said(entry.message),
    changed: entry.changed ?? undefined,
    nodes: some(nodes),
    took_ms: entry.tookMs ?? undefined,
    count: entry.count ?? undefined,
  });
}

const said = (text: string): string | undefined => (text === '' ? undefined : text);
const some = <T>(list: readonly T[]): readonly T[] | undefined =>
  list.length === 0 ? undefined : list;

/** What a line says; null for one that is none: half of one, or of another program. */
export function auditEntry(line: string): AuditEntry | null {
  const read = objectIn(line);
  if (read === null) return null;
  const time = text(read['time']);
  if (!isLineTime(time)) return null;
  const objects = list(read['objects']).map(text);
  const asked = list(read['asked']).map((one) => ({
    actor: text(record(one)['actor']),
    requestId: text(record(one)['request_id']),
  }));
  return {
    time,
    node: text(read['node']),
    event: AUDIT_EVENTS.find((known) => known === read['event']) ?? 'unknown',
    what: text(read['what']),
    who: whoIn(record(read['who'])),
    from: text(read['from']),
    claimed: textOrNull(read['claimed']),
    reason: text(read['reason']),
    requestId: text(read['request_id']),
    dryRun: read['dry_run'] === true,
    objects,
    objectsCount: Math.max(objects.length, number(read['objects_count']) ?? 0),
    args: Object.fromEntries(
      Object.entries(record(read['args'])).flatMap(([name, value]) =>
        isScalar(value) ? [[name, value] as const] : [],
      ),
    ),
    asked,
    askedCount: Math.max(asked.length, number(read['asked_count']) ?? 0),
    outcome: text(read['outcome']),
    code: text(read['code']),
    message: text(read['message']),
    changed: typeof read['changed'] === 'boolean' ? read['changed'] : null,
    nodes: list(read['nodes'])
      .map(record)
      .map(({ node, ok, changed, code }) => ({
        node: text(node),
        ok: ok === true,
        changed: changed === true,
        code: text(code),
      })),
    tookMs: number(read['took_ms']),
    count: number(read['count']),
  };
}

const ROLES = ['viewer', 'operator', 'admin', 'node'] as const;

function whoIn(who: Readonly<Record<string, unknown>>): AuditWho | null {
  const role = ROLES.find((known) => known === who['role']) ?? null;
  switch (who['how']) {
    case 'certificate': {
      const [name, serial] = [textOrNull(who['name']), textOrNull(who['serial'])];
      return { how: 'certificate', name, role, serial };
    }
    case 'socket':
      return {
        how: 'socket',
        socket: text(who['socket']),
        role: role === null || role === 'node' ? 'viewer' : role,
        uid: number(who['uid']),
        pid: number(who['pid']),
      };
    case 'agent':
    case 'signal':
      return { how: who['how'] };
    default:
      return null;
  }
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const isScalar = (value: unknown): value is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof value);

/** Whether a line is about somebody: by certificate, by what they claimed, or by whom a node asks for. */
export const isAbout = ({ who, claimed, asked }: AuditEntry, name: string): boolean =>
  (who?.how === 'certificate' && who.name === name) ||
  claimed === name ||
  asked.some(({ actor }) => actor === name);
