import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Issuer } from './acme/issuer.ts';
import { openAudit } from './audit/audit.ts';
import { reloadNote, revokedNote, startedNote, stoppedNote } from './audit/notes.ts';
import { toStandardOutput } from './audit/syslog.ts';
import { carp } from './carp/carp.ts';
import { carpEvents } from './carp/events.ts';
import type { Config } from './config/config.ts';
import { MORE_DESCRIPTORS } from './core/descriptors.ts';
import { UNPRIVILEGED } from './core/health.ts';
import type { Policy } from './core/model.ts';
import { TIMINGS } from './core/timing.ts';
import { ends } from './ends.ts';
import type { Log } from './log.ts';
import { endings } from './loop/ending.ts';
import { latestRound } from './loop/latest.ts';
import { subnetsOf } from './loop/observe.ts';
import { wakeups } from './loop/schedule.ts';
import { startNode } from './node.ts';
import { problems as openProblems } from './problems.ts';
import type { Account } from './privilege/account.ts';
import type { RunningServer } from './rpc/server.ts';
import { createTls } from './rpc/tls.ts';
import { hostHaproxy } from './start/host-haproxy.ts';
import { hostLinks } from './start/host-links.ts';
import { hostPair } from './start/host-pair.ts';
import { hostServer } from './start/host-server.ts';
import { openAsRoot } from './start/open-as-root.ts';
import { watchOwnCertificate } from './start/own-certificate.ts';
import { reloading } from './start/reload.ts';
import { openRevocations } from './start/revocations.ts';
import { diskFromReserve, systemDisk } from './store/disk.ts';
import { saving } from './store/saving.ts';
import { openStore } from './store/state.ts';
import type { Clock } from './sys/clock.ts';
import { descriptorReserve, execFromReserve } from './sys/descriptors.ts';
import { execWithin } from './sys/exec.ts';
import { watchInstalled } from './upkeep/installed.ts';
import { startUpkeep } from './upkeep/upkeep.ts';
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
  /** newsyslog(8) may have moved the audit log away. */
  reopenAudit(): void;
  /** Before a shutdown: resolves once no address is here that another node can take, at most 5 s. */
  leave(): Promise<void>;
  /** Before another stop by SIGTERM: where HAProxy ends as well, addresses leave as by `leave`. */
  endWithHaproxy(): Promise<void>;
  /** Tells the peers, ends what is open, changes nothing of CARP or HAProxy. */
  stop(): Promise<void>;
  /** Rejects when it can go on no more; never resolves. */
  readonly lost: Promise<never>;
}

const POLL_MS = 1000;
/** A hanging ifconfig(8) is killed after this long. */
const TOOL_MS = 2000;
/** So many connections that can be spared go when descriptors are wanted. */
const SHED = 32;
/** Calls under way may take so long to end at a stop. */
const GRACE_MS = 1000;

/**
 * Starts everything: first what needs root, then as `account` (null: as who it is). Rejects with
 * one sentence when the state, a key or a listener cannot be used.
 */
export async function startAgent(
  config: Config,
  clock: Clock,
  log: Log,
  account: Account | null,
): Promise<Agent> {
  const { node } = config;
  const opened = ends();
  const bell = wakeups();
  const latest = latestRound();
  const problems = openProblems(clock, bell.ring);
  let shed: RunningServer['shed'] = () => 0;
  // Taken first of all: nobody else has any descriptor yet.
  const descriptors = descriptorReserve({
    clock,
    shed: () => shed(SHED),
    onShort: (cause) => problems.raise('descriptors', cause, MORE_DESCRIPTORS),
    onEnough: () => problems.clear('descriptors'),
  });
  opened.opened(() => descriptors.close());
  const exec = execFromReserve(execWithin(TOOL_MS), descriptors);
  const { privileges, second, bound } = await openAsRoot({
    config,
    clock,
    log,
    account,
    subnets: () => subnetsOf(latest.interfaces(), latest.report()),
    onChange: bell.ring,
    exec,
  });
  opened.opened(() => privileges.close());
  const tls = createTls(config.tls, config.pair, node, clock);
  const store = await openStore(
    config.state,
    clock.wallMs(),
    diskFromReserve(systemDisk, descriptors),
  );
  const policy: Policy = { ...config.policy };
  const names = config.peers.map((peer) => peer.node);
  for (const [place, { cause, remedy }] of store.problems.entries())
    problemOf(`state-set-aside-${place + 1}`, cause, remedy);

  function problemOf(subject: string, cause: string, remedy: string): void {
    log.warn('alert', { id: 'problem', subject, state: 'raised', why: cause }, remedy);
    problems.raise(subject, cause, remedy);
  }

  const remedy = `make room in ${config.state}, or mend its rights`;
  const audit = openAudit({
    node,
    file: config.log.audit,
    syslog: { write: toStandardOutput(), always: config.log.auditSyslog },
    clock,
    problems,
  });
  opened.opened(() => {
    audit.close();
    audit.note(stoppedNote());
  });
  const revocations = await openRevocations({
    folder: config.state,
    tls,
    problems,
    taken: (lists) => audit.note(revokedNote(lists)),
  });
  const own = watchOwnCertificate(tls, clock, problems);
  opened.opened(() => own.stop());
  const save = saving({ store, problems, clock, remedy });
  const certificatesWanted = wakeups();
  const links = hostLinks({
    config,
    tls,
    clock,
    onExhausted: descriptors.letGo,
    onConnected(peer) {
      // Who was away when somebody was revoked hears of it before anything else is asked.
      const list = revocations.text();
      if (list !== '')
        void links
          .peerCalls(peer)
          .storeRevocations(list)
          .catch(() => undefined);
      certificatesWanted.ring();
    },
  });
  const host = hostHaproxy({
    config,
    clock,
    log,
    privileges,
    problems,
    latest,
    servers: store.state.servers,
    save,
    descriptors,
    onChange: bell.ring,
    onUp: certificatesWanted.ring,
  });
  const carpMoved = wakeups();
  const { devd: path } = config.carp;
  const devd = carpEvents({ path, clock, problems, changed: carpMoved.ring });
  const { acts, observes } = privileges;
  const kernel = carp({ exec, tools: config.carp.tools, acts });
  const running = startNode({
    node,
    pair: config.pair,
    peers: names,
    agentVersion: VERSION,
    timing: TIMINGS[config.policy.detect],
    policy,
    networks: config.networks,
    pollMs: POLL_MS,
    observes: observes !== '',
    icmp: second.icmp,
    clock,
    log,
    startId: randomInt(1, 2 ** 32),
    stored: store.state,
    save,
    problems,
    bell,
    latest,
    carp: { ...kernel, read: devd.compared(() => kernel.read()) },
    carpEvents: devd.state,
    ...(observes === '' ? { tellNeighbours: kernel.tell } : {}),
    prober: second.prober,
    haproxy: host.make,
    send: (to, message) => links.send(to, message),
    silence: links.silence,
  });
  const { loop, storeIntents } = running;
  running.onIntents((taken, { from, how }) => {
    if (how === 'gossip') audit.learnt(from, taken);
  });
  carpMoved.listen(() => loop.carpChanged());
  links.open(running);

  let issuer: Issuer | null = null;
  const parts = hostPair({
    config,
    clock,
    policy,
    privileges,
    problems,
    running,
    socket: host.socket,
    certificates: host.certificates,
    others: names.map((peer) => links.peerCalls(peer)),
    issuer: () => issuer,
    storeRevocations: async (list) => {
      const changed = await revocations.store(list);
      own.look();
      return changed;
    },
    audit: (ask) => audit.lines(ask),
  });

  const server = await hostServer({
    config,
    clock,
    log,
    audit,
    tls,
    bound,
    running,
    links,
    parts,
    problems,
  });
  ({ shed } = server);
  opened.opened(() => Promise.all([links.close(), server.close(GRACE_MS)]));
  for (const [place, cause] of server.problems.entries())
    problemOf(`listen-${place + 1}`, cause, 'see proxyctl-agent.toml(5), socket and listen');

  // The goodbye goes out and the fence is lifted before anybody waits for calls under way.
  opened.opened(() => running.end());
  opened.opened(() => second.prober.close());
  opened.opened(() => devd.close());
  opened.opened(() => parts.acme.close());
  const upkeep = await startUpkeep({
    config,
    pair: parts.pair,
    haproxy: running.haproxy,
    certificates: host.certificates,
    clock,
    log,
    problems,
    storeIntents: (intents) => storeIntents(node, intents),
    onIntents: running.onIntents,
    wanted: certificatesWanted,
  });
  opened.opened(upkeep.stop);
  ({ issuer } = upkeep);
  if (observes !== '')
    problemOf(UNPRIVILEGED, observes, 'start it as root; it becomes user of agent.toml by itself');
  const renewed = (): void => {
    links.renew();
    own.look();
    void revocations.reload();
  };
  const reload = reloading({ running: config, policy, tls, renewed, log, problems });
  const installed = watchInstalled(fileURLToPath(import.meta.url), clock, problems);
  opened.opened(() => installed.stop());
  audit.note(startedNote(VERSION, account?.name ?? 'as started'));
  bell.ring();

  return {
    lost: privileges.lost,
    addresses: server.addresses,
    reload(next) {
      problems.clear('config');
      audit.note(reloadNote(reload(next)));
      bell.ring();
    },
    reloadRefused(cause, remedy) {
      problems.raise('config', cause, remedy);
      audit.note(reloadNote({ taken: [], waiting: [], refused: cause }));
    },
    reopenAudit: () => audit.reopen(),
    ...endings({ loop, carp: kernel, haproxy: running.haproxy, clock, log }, privileges.will),
    stop: opened.end,
  };
}
