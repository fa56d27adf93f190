import { bindsIn, type Bind } from './binds.ts';
import { readSections } from './config-text.ts';
import { knock, type Knock } from './knock.ts';
import { portOf, probe } from './probe.ts';

/** What the listeners of this HAProxy did, and which: "127.0.0.1:443", or the probe's URL. */
export interface ListenerAnswer {
  readonly kind: Knock;
  /** Empty with kind `none`. */
  readonly at: string;
}

/** A real request to a listener of this HAProxy, before its silence counts. */
export interface Listener {
  /** Reads which binds there are; a process that is up now serves what the file says now. */
  readonly prepare: () => Promise<void>;
  /** Asks; never rejects. Within `deadlineMs` of a listener that accepts. */
  readonly ask: (deadlineMs: number) => Promise<ListenerAnswer>;
}

export interface ListenerOptions {
  /** Path of haproxy.conf. */
  readonly config: string;
  /** Required ones; empty: all. */
  readonly frontends: readonly string[];
  /** URL; empty: none. */
  readonly probe: string;
  /** VIPs that this host does not have now: a connection there gets to another host. */
  readonly elsewhere: () => readonly string[];
}

/** So many of them tell enough. */
const MOST = 8;
const LOOPBACK = '127.0.0.1';

/** Listeners as haproxy.conf names them, or the one of `haproxy.probe`. */
export function listener(options: ListenerOptions): Listener {
  let binds: readonly Bind[] | null = null;

  async function prepare(): Promise<void> {
    const all = bindsIn(await readSections(options.config).catch(() => []));
    const required = all.filter(({ frontend }) => options.frontends.includes(frontend));
    binds = options.frontends.length === 0 ? all : required;
  }

  return {
    prepare,
    async ask(deadlineMs) {
      if (binds === null) await prepare();
      const elsewhere = options.elsewhere();
      const here = (binds ?? []).filter(({ host }) => !elsewhere.includes(host));
      if (options.probe !== '') {
        const url = new URL(options.probe);
        const found = here.filter(({ port }) => port === portOf(url)).map(({ host }) => host);
        const hosts = found.length === 0 ? [LOOPBACK] : [...new Set(found)].slice(0, MOST);
        const answers = hosts.map(async (host) => ({
          kind: await probe(url, host, deadlineMs),
          at: `${options.probe} (${placeName({ host, port: portOf(url) })})`,
        }));
        return strongest(answers);
      }
      const answers = distinct(here).map(async ({ host, port }) => ({
        kind: await knock(host, port, deadlineMs),
        at: placeName({ host, port }),
      }));
      return strongest(answers);
    },
  };
}

/** One that answers proves that HAProxy lives, and ends the wait; one that accepts, that it is there. */
async function strongest(asked: readonly Promise<ListenerAnswer>[]): Promise<ListenerAnswer> {
  const answering = asked.map(async (one) => {
    const answer = await one;
    if (answer.kind !== 'answers') throw new Error(answer.kind);
    return answer;
  });
  const first = await Promise.any(answering).catch(() => null);
  if (first !== null) return first;
  const answers = await Promise.all(asked);
  for (const kind of ['silent', 'refused'] as const) {
    const found = answers.find((one) => one.kind === kind);
    if (found !== undefined) return found;
  }
  return { kind: 'none', at: '' };
}

const placeName = ({ host, port }: Pick<Bind, 'host' | 'port'>): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

const distinct = (binds: readonly Bind[]): Bind[] =>
  [...new Map(binds.map((one) => [placeName(one), one])).values()].slice(0, MOST);
