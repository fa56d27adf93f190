import { fileURLToPath } from 'node:url';
import { startedNote } from './audit/notes.ts';
import type { Config } from './config/config.ts';
import { carriesIpv6 } from './core/addresses.ts';
import { UNPRIVILEGED } from './core/health.ts';
import type { Policy } from './core/model.ts';
import { ends } from './ends.ts';
import type { Log } from './log.ts';
import { endings } from './loop/ending.ts';
import { latestRound } from './loop/latest.ts';
import { subnetsOf } from './loop/observe.ts';
import { wakeups } from './loop/schedule.ts';
import { problems as openProblems } from './problems.ts';
import type { Account } from './privilege/account.ts';
import { hostDescriptors } from './start/host-descriptors.ts';
import { hostEvents } from './start/host-events.ts';
import { hostFiles } from './start/host-files.ts';
import { hostHaproxy } from './start/host-haproxy.ts';
import { hostLinks } from './start/host-links.ts';
import { hostNode } from './start/host-node.ts';
import { hostNotify } from './start/host-notify.ts';
import { hostPair } from './start/host-pair.ts';
import { hostReload } from './start/host-reload.ts';
import { hostServer } from './start/host-server.ts';
import { hostShown } from './start/host-shown.ts';
import { openAsRoot } from './start/open-as-root.ts';
import type { Clock } from './sys/clock.ts';
import { watchConfig } from './upkeep/config-watch.ts';
import { watchInstalled } from './upkeep/installed.ts';
import { startUpkeep, type Upkeep } from './upkeep/upkeep.ts';
import { VERSION } from './version.ts';

export interface Agent {
  /** Where it listens, with real ports. */
  readonly addresses: readonly string[];
  /**
   * TLS files again, and what of `next` can change without a restart; a bad
   * file keeps the good one and is shown, and so is what needs a restart.
   */
  reload(next: Config): void;
  /** agent.toml cannot be used: the old one stays in force, and that is shown. */
  reloadRefused(cause: string, remedy: string): void;
  /** newsyslog(8) may have moved the records away. */
  reopenRecords(): void;
  /** Before a shutdown: resolves once no address is here that another node can take, at most 5 s. */
  leave(): Promise<void>;
  /** Before another stop by SIGTERM: where HAProxy ends as well, addresses leave as by `leave`. */
  endWithHaproxy(): Promise<void>;
  /** Tells the peers, ends what is open, changes nothing of CARP or HAProxy. */
  stop(): Promise<void>;
  /** Rejects when it can go on no more; never resolves. */
  readonly lost: Promise<never>;
}

/** Whoever asked for the end of this agent has its answer by then, ms. */
const END_MS = 100;
const terminate = (): void => void process.kill(process.pid, 'SIGTERM');

/** Calls under way may take so long to end at a stop. */
const GRACE_MS = 1000;

/**
 * Starts everything: first what needs root, then as `account` (null: as who it is); `supervised`:
 * somebody starts this process again once it has ended. Rejects with one sentence when the state, a key or a listener cannot be used.
 */
export async function startAgent(
  config: Config,
  clock: Clock,
  log: Log,
  account: Account | null,
  supervised = false,
): Promise<Agent> {
  const opened = ends();
  const bell = wakeups();
  const latest = latestRound();
  const problems = openProblems(clock, bell.ring);
  // Taken first of all: nobody else has any descriptor yet.
  const { descriptors, exec, shedBy } = hostDescriptors(clock, problems);
  opened.opened(() => descriptors.close());
  const host = { config, clock, log, problems, descriptors, exec, latest, onChange: bell.ring };
  const subnets = () => subnetsOf(latest.interfaces(), latest.report());
  const hasIpv6 = () => (latest.report()?.addresses ?? []).some(carriesIpv6);
  const asRoot = await openAsRoot({ ...host, account, subnets, hasIpv6 });
  const { privileges, second, sendToAll, bound } = asRoot;
  opened.opened(() => privileges.close());
  const policy: Policy = { ...config.policy };
  const problemOf = (subject: string, cause: string, remedy: string): void => {
    log.warn('alert', { id: 'problem', subject, state: 'raised', why: cause }, remedy);
    problems.raise(subject, cause, remedy);
  };
  const common = { ...host, policy, privileges, problemOf, ends: opened, bell };
  const files = await hostFiles(common);
  const { audit, revocations } = files;
  const notify = await hostNotify({ ...common, standing: files.stored.standing });
  opened.opened(() => notify.stop());
  const wanted = wakeups();
  const links = hostLinks({
    ...common,
    tls: files.tls,
    revoked: () => revocations.text(),
    onConnected: wanted.ring,
    onExhausted: descriptors.letGo,
  });
  const haproxy = hostHaproxy({ ...common, files, onUp: wanted.ring });
  const node = hostNode({
    ...common,
    second,
    sendToAll,
    files,
    links,
    haproxy,
    notify: notify.report,
  });
  const { running, kernel, devd, shell } = node;
  let upkeep: Upkeep | null = null;
  const { certificates } = haproxy;
  const parts = hostPair({
    ...common,
    files,
    running,
    certificates,
    socket: haproxy.socket,
    configuration: haproxy.configuration,
    others: config.peers.map((peer) => links.peerCalls(peer.node)),
    issuer: () => upkeep?.issuer ?? null,
    testNotify: notify.test,
    endAgent: supervised ? () => void clock.after(END_MS, terminate) : null,
    silence: links.silence,
  });
  const happens = hostEvents({ ...common, files, running, parts, notify });

  const shown = await hostShown({
    ...common,
    parts,
    running,
    certificates: () => upkeep?.seen() ?? { certificates: [], findings: [], atWallMs: null },
  });
  const server = await hostServer({
    ...common,
    files,
    bound,
    running,
    links,
    parts,
    ended: shown.ended,
  });
  shedBy(server.shed);
  opened.opened(() => Promise.all([links.close(), server.close(GRACE_MS)]));

  // The goodbye goes out and the fence is lifted before anybody waits for calls under way.
  opened.opened(() => running.end());
  opened.opened(() => second.prober.close());
  opened.opened(() => devd.close());
  opened.opened(() => shell.close());
  opened.opened(() => parts.acme.close());
  upkeep = await startUpkeep({
    ...common,
    pair: parts.pair,
    push: parts.push,
    haproxy: running.haproxy,
    certificates,
    wanted,
    storeIntents: (intents) => running.storeIntents(config.node, intents),
    onIntents: running.onIntents,
  });
  opened.opened(upkeep.stop);
  const configuration = watchConfig(haproxy.configuration, clock, (all) => files.events.add(all));
  opened.opened(() => configuration.stop());
  const { observes } = privileges;
  if (observes !== '')
    problemOf(UNPRIVILEGED, observes, 'start it as root; it becomes user of agent.toml by itself');
  const installed = watchInstalled(fileURLToPath(import.meta.url), clock, problems);
  opened.opened(() => installed.stop());
  audit.note(startedNote(VERSION, account?.name ?? 'as started'));
  happens.started();
  bell.ring();

  return {
    lost: privileges.lost,
    addresses: server.addresses,
    ...hostReload({ ...common, files, links, notify, shown, happens }),
    ...endings({ ...common, ...running, carp: kernel }, privileges.will),
    stop: opened.end,
  };
}
