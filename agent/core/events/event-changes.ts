import type { Alert } from '../answers.ts';
import { endedWishes } from './event-wishes.ts';
import { happening, type EventKind, type Happening } from './events.ts';
import type { OwnerChange } from '../history.ts';
import type { Intents } from '../intents.ts';
import type { HaproxyReport, HaproxyState, NodeReport, NodeView } from '../model.ts';

/** An alert that stands, kept over restarts. */
export interface Standing {
  readonly id: string;
  readonly subject: string;
  readonly severity: Alert['severity'];
  readonly text: string;
  readonly remedy: string;
  /** Since when, Unix ms by this node's clock. */
  readonly sinceWallMs: number;
}

/** What a node sees at one moment. */
export interface Sight {
  readonly self: string;
  /** Unix ms. */
  readonly wallMs: number;
  readonly report: NodeReport | null;
  /** Every other configured node. */
  readonly peers: readonly NodeView[];
  /** Those that this node notices. */
  readonly alerts: readonly Standing[];
  /** What has come to this node, the newest last. */
  readonly moves: readonly OwnerChange[];
  readonly intents: Intents;
}

/** Everything worth a record that is different `after`. Pure; what is in both is not told again. */
export const eventsBetween = (before: Sight, after: Sight): Happening[] => [
  ...movesBetween(before.moves, after.moves),
  ...haproxyBetween(before.report, after.report),
  ...peersBetween(before, after),
  ...alertsBetween(before.alerts, after),
  ...endedWishes(after.self, before, after),
];

const sameMove = (a: OwnerChange, b: OwnerChange): boolean =>
  a.address === b.address && a.to === b.to && a.atWallMs === b.atWallMs && a.from === b.from;

/** The moves that are on the list only now. */
export const movesBetween = (
  before: readonly OwnerChange[],
  after: readonly OwnerChange[],
): Happening[] =>
  before === after
    ? []
    : after
        .filter((one) => !before.some((known) => sameMove(known, one)))
        .map(({ address, from, to, cause, reason, atWallMs }) =>
          happening('moved', address, moveText({ address, from, to, reason }), {
            ...(from === null ? {} : { from }),
            to,
            cause,
            reason,
            atWallMs,
          }),
        );

/** The agent's own reasons say from where to where. */
const moveText = ({
  address,
  from,
  to,
  reason,
}: Pick<OwnerChange, 'address' | 'from' | 'to' | 'reason'>): string =>
  reason.startsWith(`${address} `) ? reason : `${address}: ${from ?? '?'} -> ${to}: ${reason}`;

const WORDS: Readonly<Record<HaproxyState, EventKind>> = {
  up: 'haproxy-up',
  stopping: 'haproxy-stopping',
  hung: 'haproxy-hung',
  down: 'haproxy-down',
  unknown: 'haproxy-unknown',
};

/** Another state of HAProxy in its own word, or another process in its place. */
function haproxyBetween(before: NodeReport | null, after: NodeReport | null): Happening[] {
  if (before === null || after === null || before === after) return [];
  return after.haproxy.flatMap((now): Happening[] => {
    const was = before.haproxy.find(({ instance }) => instance === now.instance);
    if (was === undefined) return [];
    const { state, problem } = now;
    if (was.state !== state) {
      const why = problem === '' ? '' : `: ${problem}`;
      const text = `HAProxy ${state}${state === 'up' ? who(now) : why}`;
      return [happening(WORDS[state], 'haproxy', text, { from: was.state, to: state })];
    }
    const replaced = state === 'up' && was.pid !== 0 && now.pid !== 0 && was.pid !== now.pid;
    const text = `HAProxy reloaded: pid ${now.pid} in place of ${was.pid}`;
    return replaced ? [happening('haproxy-reloaded', 'haproxy', text)] : [];
  });
}

const who = ({ version, pid }: HaproxyReport): string =>
  pid === 0 ? '' : `: pid ${pid}${version === '' ? '' : `, version ${version}`}`;

function peersBetween(before: Sight, after: Sight): Happening[] {
  return after.peers.flatMap(({ node, fresh, peerClass, report }): Happening[] => {
    const was = before.peers.find((one) => one.node === node);
    if (fresh === (was?.fresh ?? false)) return [];
    if (!fresh) {
      const text = `${node} is not heard any more: ${peerClass}`;
      return [happening('peer-lost', node, text, { to: peerClass })];
    }
    const text = `${node} is heard${report === null ? '' : `, proxyagent ${report.agentVersion}`}`;
    return [happening('peer-heard', node, text, was === undefined ? {} : { from: was.peerClass })];
  });
}

const isSame = (a: Pick<Alert, 'id' | 'subject'>, b: Pick<Alert, 'id' | 'subject'>): boolean =>
  a.id === b.id && a.subject === b.subject;

/** Alerts that stand now and did not before, that are worse or less bad, and that stand no more. */
function alertsBetween(before: readonly Standing[], { alerts, wallMs }: Sight): Happening[] {
  if (before === alerts) return [];
  const risen = alerts.flatMap((one): Happening[] => {
    const { id, subject, severity, text, remedy } = one;
    const was = before.find((known) => isSame(known, one));
    if (was?.severity === severity) return [];
    const kind = was === undefined ? 'alert-raised' : 'alert-changed';
    const change = was === undefined ? {} : { from: was.severity, to: severity };
    return [
      happening(kind, subject, text, {
        severity,
        alert: id,
        ...(remedy === '' ? {} : { remedy }),
        ...change,
      }),
    ];
  });
  const gone = before
    .filter((one) => !alerts.some((now) => isSame(now, one)))
    .map(({ id, subject, text, severity, sinceWallMs }) =>
      happening('alert-cleared', subject, `over: ${text}`, {
        alert: id,
        from: severity,
        lastedMs: Math.max(0, wallMs - sinceWallMs),
      }),
    );
  return [...risen, ...gone];
}

/** So many that stand are told apart; a node with more has one trouble behind them. */
const MOST_STANDING = 200;
/** So long it has to be there, or to be gone: while an address moves each node sees the other's state of before. */
const STEADY_MS = 1000;

/**
 * The alerts by this node that have stood for a second; one that is gone or has another severity
 * stays as it was for as long. Since when is kept of those that stood `before`, also over a restart.
 */
export function steadyAlerts(self: string, before: readonly Standing[]) {
  let stands = before;
  /** Since when each has been found with that severity without a break; of those that stand, since when not. */
  let found = new Map<string, number>();
  let missed = new Map<string, number>();

  return {
    /** Those that stand now; the same list where nothing is different. `nowMs` is monotonic. */
    look(alerts: readonly Alert[], wallMs: number, nowMs: number): readonly Standing[] {
      const now = ownOf(alerts, self);
      const since = (map: ReadonlyMap<string, number>, key: string): number =>
        map.get(key) ?? nowMs;
      found = new Map([...now.values()].map((one) => [gradeOf(one), since(found, gradeOf(one))]));
      missed = new Map(
        stands.flatMap((one) =>
          now.has(nameOf(one)) ? [] : [[nameOf(one), since(missed, nameOf(one))] as const],
        ),
      );
      const kept = stands.flatMap((one): Standing[] => {
        const name = nameOf(one);
        const present = now.get(name);
        if (present === undefined) return nowMs - since(missed, name) >= STEADY_MS ? [] : [one];
        const changed = present.severity !== one.severity;
        if (!changed || nowMs - since(found, gradeOf(present)) < STEADY_MS) return [one];
        const { severity, text, remedy } = present;
        return [{ ...one, severity, text, remedy }];
      });
      const risen = [...now.values()].flatMap((one): Standing[] => {
        const { id, subject, severity, text, remedy } = one;
        const sinceMs = since(found, gradeOf(one));
        if (kept.some((known) => isSame(known, one)) || nowMs - sinceMs < STEADY_MS) return [];
        return [
          {
            id,
            subject,
            severity,
            text,
            remedy,
            sinceWallMs: wallMs - Math.round(nowMs - sinceMs),
          },
        ];
      });
      const next = [...kept, ...risen].slice(0, MOST_STANDING);
      const same = next.length === stands.length && next.every((one, at) => one === stands[at]);
      stands = same ? stands : next;
      return stands;
    },
  };
}

const nameOf = ({ id, subject }: Pick<Alert, 'id' | 'subject'>): string => `${id} ${subject}`;
const gradeOf = ({ id, subject, severity }: Pick<Alert, 'id' | 'subject' | 'severity'>): string =>
  `${id} ${subject} ${severity}`;

/** Those that this node notices, each once, as grave as the gravest of its name. */
function ownOf(alerts: readonly Alert[], self: string): ReadonlyMap<string, Alert> {
  const own = new Map<string, Alert>();
  for (const one of alerts)
    if (one.node === self && own.get(nameOf(one))?.severity !== 'fail') own.set(nameOf(one), one);
  return own;
}
