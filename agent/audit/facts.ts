import { X509Certificate } from 'node:crypto';
import type { AuditedAct, AuditEntry } from '../core/audit/audit.ts';
import { clearOfSecrets } from '../core/secrets.ts';

/** So many of what an act is about are named; the others are counted. */
const MOST_OBJECTS = 20;
/** Of a name, a path, a target; of what an error says. */
const LONGEST = 256;
const LONGEST_MESSAGE = 500;
/** Rows of nodes. */
const MOST_NODES = 64;

type Facts = Pick<AuditEntry, 'objects' | 'objectsCount' | 'args'>;

/**
 * What an act is about. Only what is named here is written: no PEM, no token, no key
 * authorization has a way in.
 */
export function factsOf(act: AuditedAct): Facts {
  const args: Record<string, string | number | boolean> = {};
  const note = (name: string, value: string | number | boolean | null | undefined): void => {
    if (value !== null && value !== undefined && value !== '' && value !== false)
      args[name] = value;
  };
  if ('untilMs' in act) note('until_ms', act.untilMs);
  if ('addresses' in act) {
    note('to', act.to);
    note('toggle', act.toggle);
    note('unpin', act.unpin);
    return objectsOf(act.addresses, args);
  }
  if ('kind' in act) {
    args['kind'] = act.kind;
    args['max_outage_ms'] = act.maxOutageMs;
    args['stay_ms'] = act.stayMs;
    note('means', act.means);
    return objectsOf(act.node === null ? [] : [act.node], args);
  }
  if ('drill' in act) {
    note('stop', act.stop);
    note('why', act.why);
    if (!act.stop) args['dark_ms'] = Math.round(act.darkMs);
    return objectsOf([act.drill], args);
  }
  if ('node' in act) {
    args['on'] = act.on;
    return objectsOf([act.node], args);
  }
  if ('paused' in act) {
    args['paused'] = act.paused;
    return objectsOf([], args);
  }
  if ('targets' in act) {
    if ('state' in act) {
      note('state', act.state);
      note('wait', act.wait);
    } else note('weight', act.weight ?? 'reset');
    return objectsOf(act.targets, args);
  }
  if ('bundles' in act) {
    const shown = act.bundles.slice(0, MOST_OBJECTS);
    for (const [at, { pem, into }] of shown.entries()) {
      note(`fingerprint_${at + 1}`, fingerprintOf(pem));
      note(`into_${at + 1}`, into?.list);
    }
    return objectsOf(
      act.bundles.map(({ path }) => path ?? 'by its names'),
      args,
    );
  }
  if ('message' in act) {
    note('bytes', act.message.length);
    return objectsOf(['haproxy.conf'], args);
  }
  if ('paths' in act) return objectsOf(act.paths, args);
  if ('list' in act) {
    note('bytes', act.list.length);
    return objectsOf([], args);
  }
  note('answer', act.keyAuthorization === null ? 'taken back' : 'set');
  return objectsOf(act.domain === '' ? [] : [act.domain], args);
}

const objectsOf = (objects: readonly string[], args: Facts['args']): Facts => ({
  objects: objects.slice(0, MOST_OBJECTS),
  objectsCount: objects.length,
  args,
});

/** SHA-1 of the first certificate in it, as HAProxy prints it; null where there is none. */
function fingerprintOf(pem: string): string | null {
  try {
    return new X509Certificate(pem).fingerprint.replaceAll(':', '').toLowerCase();
  } catch {
    return null;
  }
}

/** The same entry without secrets, with every text and list of a length that is known. */
export function bounded(entry: AuditEntry): AuditEntry {
  const short = (text: string): string => cut(text, LONGEST);
  const kept = {
    ...entry,
    what: short(entry.what),
    from: short(entry.from),
    claimed: entry.claimed === null ? null : short(entry.claimed),
    reason: short(entry.reason),
    requestId: short(entry.requestId),
    objects: entry.objects.slice(0, MOST_OBJECTS).map(short),
    args: Object.fromEntries(
      Object.entries(entry.args).map(([name, value]) => [
        name,
        typeof value === 'string' ? short(value) : value,
      ]),
    ),
    asked: entry.asked
      .slice(0, MOST_OBJECTS)
      .map(({ actor, requestId }) => ({ actor: short(actor), requestId: short(requestId) })),
    message: cut(entry.message, LONGEST_MESSAGE),
    nodes: entry.nodes.slice(0, MOST_NODES),
  };
  return clearOfSecrets(kept);
}

const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 3)}...` : text;
