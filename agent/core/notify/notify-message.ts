import { eventJson } from '../events/event-lines.ts';
import type { Told } from './notify.ts';

/** What is sent to a target. */
export interface NotifyMessage {
  readonly pair: string;
  /** Who tells. */
  readonly node: string;
  readonly target: string;
  /** Asked for with `proxyctl notify test`; nothing has happened. */
  readonly test: boolean;
  readonly told: readonly Told[];
  /** So many notifications of before were dropped, for there were too many. */
  readonly dropped: number;
}

/** What programs get. */
export const messageJson = ({
  pair,
  node,
  target,
  test,
  told,
  dropped,
}: NotifyMessage): object => ({
  version: 1,
  pair,
  node,
  target,
  test,
  events: told.map(({ event, brief }) => ({ ...eventJson(event), brief })),
  dropped,
});

/** One line for people: [PAIR] what it is about. */
export function messageSubject({ pair, node, test, told }: NotifyMessage): string {
  const [one] = told;
  if (test) return `[${pair}] test from ${node}`;
  if (one === undefined) return `[${pair}] notifications were dropped`;
  const more = told.length > 1 ? `${told.length} events, first ` : '';
  return `[${pair}] ${more}${headOf(one)}`;
}

/** An alert by its word, anything else by its sentence. */
function headOf({ event, brief }: Told): string {
  const { kind, severity, alert, subject, node, text } = event;
  if (alert === undefined) return `${node}: ${text}`;
  const about = `${alert} ${subject} on ${node}`;
  if (kind === 'alert-cleared') return `${brief ? 'was over at once' : 'over'}: ${about}`;
  return `${severity}: ${about}`;
}

/** Everything, line by line; not broken to a width. */
export function messageText(message: NotifyMessage): string {
  const { pair, node, target, test, told, dropped } = message;
  const parts = told.map((one) => partOf(one));
  if (test) parts.push(`A test of ${target} from ${node}: nothing has happened.`);
  if (dropped > 0)
    parts.push(`${dropped} notifications of before were dropped: there were too many.`);
  parts.push(`-- \npair ${pair}, told by ${node}\nproxyctl status; proxyctl events --since 1h`);
  return parts.join('\n\n');
}

function partOf(told: Told): string {
  const { event } = told;
  const { time, node, text, remedy, lastedMs, actor, reason } = event;
  const lasted = lastedMs === undefined ? '' : `, after ${Math.round(lastedMs / 1000)} s`;
  return [
    `${time.replace('T', ' ').slice(0, 19)}Z  ${event.alert === undefined ? event.kind : headOf(told)}`,
    `    ${node}: ${text}${lasted}`,
    ...(remedy === undefined ? [] : [`    do: ${remedy}`]),
    ...(actor === undefined
      ? []
      : [`    by: ${actor}${reason === undefined ? '' : `: ${reason}`}`]),
  ].join('\n');
}
