import type { ServersAnswer, Status } from '../core/answers.ts';
import type { CertificatesSeen } from '../core/certs/certificates.ts';
import { duration } from '../core/duration.ts';
import { isHeard } from '../core/heard.ts';
import type { LinesAnswer } from '../core/lines.ts';
import type { Intent } from '../core/model.ts';
import { markup, NOTHING, type Markup, type Piece } from './markup.ts';

/** What was asked of the nodes for the page. */
export interface Looked {
  /** Null: nobody has answered yet. */
  readonly servers: ServersAnswer | null;
  /** New sessions a second by `rateKey`, between the last two times it was asked. */
  readonly rates: ReadonlyMap<string, number>;
  readonly events: LinesAnswer | null;
}

/** All that the page shows, at one moment. */
export interface Picture extends Looked {
  readonly status: Status;
  readonly certificates: CertificatesSeen;
  /** Monotonic, as `sinceMs` of a status. */
  readonly nowMs: number;
  readonly wallMs: number;
}

/** No name of HAProxy has a blank; a node has thousands of servers, so it is no JSON. */
export const rateKey = (node: string, backend: string, server: string): string =>
  `${node} ${backend} ${server}`;

/** How a state looks; the word says it too, colour says nothing alone. */
export type Tone = 'good' | 'warn' | 'bad' | 'plain';

export const word = (tone: Tone, text: string): Markup =>
  tone === 'plain' ? markup`${text}` : markup`<span class="${tone}">${text}</span>`;

/** The first `most` of a list, and a sentence that says how many are left out and where they are. */
export function capped<T>(
  all: readonly T[],
  most: number,
  what: string,
  others: string,
): { readonly shown: readonly T[]; readonly leftOut: Markup } {
  if (all.length <= most) return { shown: all, leftOut: NOTHING };
  const leftOut = markup`<p class="note">${most} of ${all.length} ${what} are shown, ${all.length - most} are left out: ${others}</p>`;
  return { shown: all.slice(0, most), leftOut };
}

/** Moments as a reader anywhere understands them: UTC, to the second. */
export const moment = (wallMs: number): Markup => {
  const text =
    Number.isFinite(wallMs) && Math.abs(wallMs) < 8e15 ? new Date(wallMs).toISOString() : '';
  return text === ''
    ? markup`?`
    : markup`<time datetime="${text}">${text.replace('T', ' ').slice(0, 19)}Z</time>`;
};

/** ", 5 min, by anna until ..., "reason"": who wished something. */
export function byWhom({ actor, reason, untilWallMs, stamp }: Intent, wallMs: number): Markup {
  const until: Piece = untilWallMs === null ? '' : [' until ', moment(untilWallMs)];
  const why = reason === '' ? '' : `, "${reason}"`;
  return markup`, ${duration(Math.max(0, wallMs - stamp.wallMs))}, by ${actor}${until}${why}`;
}

/** Names of the nodes in the order of the whole page, whichever of them answers. */
export const nodeNames = ({ status }: Pick<Picture, 'status'>): string[] =>
  status.nodes.map(({ node }) => node).sort((a, b) => (a < b ? -1 : 1));

/** Reports that may be shown as present, by node. */
export const heardReports = ({ status }: Pick<Picture, 'status'>) =>
  new Map(
    status.nodes.flatMap((one) =>
      one.report !== null && isHeard(one) ? [[one.node, one.report] as const] : [],
    ),
  );
