import { sentence } from '../core/words.ts';
import {
  afterFailure,
  dueOf,
  failuresOf,
  lostNames,
  refusalOf,
  type Due,
  type Failures,
  type InPlace,
  type Orderer,
  type Refusal,
} from '../core/certs/issuing.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import { GivenUp, OrderFailure } from './failure.ts';

/** One `[[acme.certificate]]`. */
interface WantedCertificate {
  readonly names: readonly string[];
  /** As HAProxy names it here. */
  readonly path: string;
}

/** What the issuer does its work with. */
interface IssuerPorts {
  /** Who orders, as this node sees it; null: nobody. */
  orderer(): Orderer | null;
  /** What HAProxy has loaded from `path`; null: nothing. Rejects where it cannot be read. */
  inPlace(path: string): Promise<InPlace | null>;
  /** Resolves to the PEM bundle; `goOn` throws where the order is to be given up. */
  order(wanted: WantedCertificate, goOn: () => void): Promise<string>;
  /** The swap over the pair; `placeholder`: the names of what is there do not count. */
  push(path: string, pem: string, placeholder: boolean): Promise<void>;
  /** What the CA refused of these names last, to this node or to another; null: nothing. */
  refused(names: readonly string[]): Refusal | null;
  /** Makes `refused` say so on every node and after a restart; null: nothing any more. */
  remember(names: readonly string[], refusal: Refusal | null): Promise<void>;
}

export interface IssuerOptions extends IssuerPorts {
  readonly node: string;
  readonly certificates: readonly WantedCertificate[];
  readonly clock: Clock;
  readonly problems: Problems;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: (step: 'ordering' | 'issued' | 'failed', path: string, text: string) => void;
}

export interface Issuer {
  /** When a path is ordered anew, Unix ms; null: not known yet, or not ordered here. */
  renewal(path: string): number | null;
  /** Something may have been pushed: reads the certificates afresh. */
  wake(): void;
  stop(): void;
}

/** How often it looks whether the address is still here, ms. */
const LOOK_MS = 5000;
/** How often it reads certificates: renewals are days away. */
const READ_MS = 60_000;

interface State {
  readonly wanted: WantedCertificate;
  due: Due | null;
  readAtMs: number;
  failures: Failures | null;
  /** Issued, and not installed: ordered only once. */
  bundle: string | null;
}

/**
 * Orders certificates when they are due, one after the other, on the node that has held the first
 * address for a while; the other nodes only keep the time. What fails is an alert with its remedy
 * until it succeeds or another node takes over; what the CA refused counts for that one too.
 */
export function startIssuer(options: IssuerOptions): Issuer {
  const { node, clock, problems } = options;
  const states = options.certificates.map((wanted): State => ({
    wanted,
    due: null,
    readAtMs: -Infinity,
    failures: null,
    bundle: null,
  }));
  let mine: { readonly afterMs: number; readonly sinceMs: number } | null = null;
  let stopped = false;
  let cancel = (): void => {};

  const isMine = (): boolean => !stopped && options.orderer()?.node === node;
  const goOn = (): void => {
    if (!isMine()) throw new GivenUp('the first address is not here any more');
  };

  async function look(): Promise<void> {
    const orderer = stopped ? null : options.orderer();
    if (orderer?.node !== node) mine = null;
    // From standing in to holding the address: the time counts on.
    else mine = { afterMs: orderer.afterMs, sinceMs: mine?.sinceMs ?? clock.nowMs() };
    for (const state of states) {
      if (stopped) return;
      await attend(state);
    }
  }

  async function attend(state: State): Promise<void> {
    const { wanted } = state;
    const subject = subjectOf(wanted);
    const settled = mine !== null && clock.nowMs() - mine.sinceMs >= mine.afterMs;
    if (mine === null) {
      problems.clear(subject);
      // Whoever holds it now orders for itself; what was begun here may be too old by the next time.
      state.failures = null;
      state.bundle = null;
    }
    if (mine !== null && state.failures === null) recall(state);
    const waits = state.failures !== null && clock.nowMs() < state.failures.untilMs;
    const isRead = clock.nowMs() - state.readAtMs < READ_MS;
    if (isRead && !isDue(state)) return;
    if (isRead && (!settled || waits)) return;
    try {
      const inPlace = await options.inPlace(wanted.path);
      state.readAtMs = clock.nowMs();
      state.due = inPlace === null ? null : dueOf(wanted.names, inPlace);
      if (!settled || !isMine()) return;
      // Somebody may have pushed one in the meantime: then there is nothing to wait for.
      if (waits && (inPlace === null || isDue(state))) return;
      if (inPlace === null) throw notLoaded();
      if (isDue(state)) await renew(state, inPlace);
      state.failures = null;
      problems.clear(subject);
      if (options.refused(wanted.names) !== null) await options.remember(wanted.names, null);
    } catch (error) {
      if (settled && !waits && !(error instanceof GivenUp)) await failed(state, error);
    }
  }

  /** After a start, and when the address has come here: the CA counts what was before. */
  function recall(state: State): void {
    const refusal = options.refused(state.wanted.names);
    if (refusal === null) return;
    state.failures = failuresOf(refusal, { nowMs: clock.nowMs(), wallMs: clock.wallMs() });
    raise(state, refusal);
  }

  const raise = ({ wanted }: State, { cause, remedy }: Pick<Refusal, 'cause' | 'remedy'>): void =>
    problems.raise(subjectOf(wanted), `no certificate for ${wanted.path}: ${cause}`, remedy);

  const isDue = ({ due }: State): boolean => due !== null && clock.wallMs() >= due.atWallMs;

  async function renew(state: State, inPlace: InPlace): Promise<void> {
    const { wanted } = state;
    const lost = lostNames(wanted.names, inPlace);
    if (lost.length > 0) throw wouldLose(lost);
    const { path } = wanted;
    if (state.bundle === null) {
      options.log('ordering', path, `${wanted.names.join(', ')}: ${WHY[state.due?.why ?? 'age']}`);
      state.bundle = await options.order(wanted, goOn);
    }
    goOn();
    await options.push(path, state.bundle, inPlace.selfSigned);
    state.bundle = null;
    // What is in place now has another end.
    const after = await options.inPlace(path);
    state.due = after === null ? null : dueOf(wanted.names, after);
    const next = state.due === null ? '' : new Date(state.due.atWallMs).toISOString();
    options.log('issued', path, `installed on the pair; renewed after ${next}`);
    if (isDue(state))
      throw new OrderFailure(
        `the certificate that the CA issued for ${path} is due again at once`,
        'its clock and this one; its names in [[acme.certificate]]',
      );
  }

  async function failed(state: State, error: unknown): Promise<void> {
    const failure = error instanceof OrderFailure ? error : null;
    const how = {
      setback: failure?.setback ?? 'unreachable',
      retryAfterMs: failure?.retryAfterMs ?? 0,
      random: options.random(),
    };
    const now = { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
    state.failures = afterFailure(state.failures, how, now.nowMs);
    const { path, names } = state.wanted;
    const minutes = Math.max(1, Math.round((state.failures.untilMs - now.nowMs) / 60_000));
    const said = { cause: sentence(error), remedy: failure?.remedy ?? 'tried again by itself' };
    options.log('failed', path, `${said.cause}; again in ${minutes} min`);
    raise(state, said);
    const refusal = refusalOf(state.failures, how, said, now);
    if (refusal !== null) await options.remember(names, refusal);
  }

  const again = async (): Promise<void> => {
    await look();
    if (!stopped) cancel = clock.after(LOOK_MS, () => void again());
  };
  void again();

  return {
    renewal: (path) => states.find(({ wanted }) => wanted.path === path)?.due?.atWallMs ?? null,
    wake() {
      for (const state of states) state.readAtMs = -Infinity;
    },
    stop() {
      stopped = true;
      cancel();
    },
  };
}

const WHY: Readonly<Record<Due['why'], string>> = {
  placeholder: 'what is there is self-signed',
  names: 'what is there lacks a name',
  age: 'a third of its life is left',
};

const subjectOf = ({ path }: WantedCertificate): string => `acme-order ${path}`;

const notLoaded = (): OrderFailure =>
  new OrderFailure(
    'HAProxy has loaded no certificate from it',
    'put a self-signed one there, name it in haproxy.conf, reload HAProxy',
    'unreachable',
  );

const wouldLose = (lost: readonly string[]): OrderFailure =>
  new OrderFailure(
    `${lost.slice(0, 5).join(', ')} is served now and not in its names`,
    'add it to names in agent.toml, or first push one without it: cert push --accept-risk=names-lost',
    'unreachable',
  );
