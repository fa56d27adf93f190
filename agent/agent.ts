import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Issuer } from './acme/issuer.ts';
import { acmePart, withRenewals } from './acme/challenges.ts';
import { carp } from './carp/carp.ts';
import { carpEvents } from './carp/events.ts';
import { keepCertificates, type CertificateKeeping } from './upkeep/certificates.ts';
import { nameOf } from './certs/check.ts';
import type { Config } from './config/config.ts';
import type { Inspection } from './core/doctor/inspection.ts';
import { UNPRIVILEGED } from './core/health.ts';
import { parseCertificateKey, type Intents } from './core/intents.ts';
import type { Intent, NodeView, Policy } from './core/model.ts';
import { ownView } from './core/peers.ts';
import { TIMINGS } from './core/timing.ts';
import { gossip as startGossip } from './gossip/gossip.ts';
import { haproxyPart } from './haproxy/haproxy.ts';
import { endings } from './loop/ending.ts';
import { inspect } from './inspect/inspect.ts';
import { loopLog, type Log } from './log.ts';
import { heartbeats } from './gossip/heartbeats.ts';
import { watchInstalled } from './upkeep/installed.ts';
import { loop as startLoop } from './loop/loop.ts';
import { localMember, peerMember } from './verbs/local-member.ts';
import { logIntents, serverNotices } from './notices.ts';
import { problems as openProblems } from './problems.ts';
import type { Account } from './privilege/account.ts';
import { reloading } from './start/reload.ts';
import { saving } from './store/saving.ts';
import { driftLine } from './haproxy/server-drift.ts';
import { startLinks, type Links } from './rpc/links.ts';
import { startServer } from './rpc/server.ts';
import { createTls } from './rpc/tls.ts';
import { controlVerbs, peerVerbs } from './verbs/table.ts';
import { openAsRoot } from './start/open-as-root.ts';
import { subnetsOf } from './subnets.ts';
import { openStore } from './store/state.ts';
import { syncAlarms } from './gossip/sync-alarms.ts';
import type { Clock } from './sys/clock.ts';
import { execWithin } from './sys/exec.ts';
import { VERSION } from './version.ts';
import type { Pair } from './verbs/pair.ts';

export interface Agent {
  /** Where it listens, with real ports. */
  readonly addresses: readonly string[];
  /**
   * TLS files again, and what of `next` can change without a restart; a bad
   * file keeps the good one and is shown, and so is what needs a restart.
   */
  reload(next: Config): void;
  /** Before a shutdown: resolves once no address is here that another node can take, at most 5 s. */
  leave(): Promise<void>;
  /** Before another stop by SIGTERM: where HAProxy ends as well, addresses leave as by `leave`. */
  endWithHaproxy(): Promise<void>;
  /** Tells the peers, ends what is open, changes nothing of CARP or HAProxy. */
  stop(): Promise<void>;
  /** Rejects when it can go on no more; never resolves. */
  readonly lost: Promise<never>;
  problem(subject: string, cause: string, remedy: string): void;
  solved(subject: string): void;
}

const POLL_MS = 1000;
/** A hanging ifconfig(8) is killed after this long. */
const TOOL_MS = 2000;
const STATS_GROUP = 'stats socket ... mode 660 level admin group proxyctl, in haproxy.conf';
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
  const { privileges, second, bound } = await openAsRoot({
    config,
    clock,
    log,
    account,
    subnets: () => subnetsOf(loop.interfaces(), loop.report()),
    onChange: () => loop.wake(),
  });
  const tls = createTls(config.tls, config.pair, node, clock);
  const store = await openStore(config.state, clock.wallMs());
  const policy: Policy = { ...config.policy };
  const timing = TIMINGS[config.policy.detect];
  const names = config.peers.map((peer) => peer.node);
  const problems = openProblems(clock, () => loop.wake());
  for (const [at, { cause, remedy }] of store.problems.entries())
    problemOf(`state-set-aside-${at + 1}`, cause, remedy);

  function problemOf(subject: string, cause: string, remedy: string): void {
    log.warn('alert', { id: subject, state: 'raised', why: cause }, remedy);
    // The loop does not stand yet when the state was damaged.
    queueMicrotask(() => problems.raise(subject, cause, remedy));
  }

  const remedy = `make room in ${config.state}, or mend its rights`;
  const save = saving({ store, problems, clock, remedy });
  const savedQuietly = (change: Parameters<typeof store.save>[0]): Promise<void> =>
    save(change).catch(() => undefined);

  // Assigned before anything can call: the transport is started last.
  let links: Links | null = null;
  let savedIntents: Promise<void> = Promise.resolve();
  const lastEnd = new Map<string, string>();
  const gossip = startGossip({
    node,
    pair: config.pair,
    agentVersion: VERSION,
    epoch: store.state.epoch,
    peers: names,
    timing,
    clock,
    transport: { send: (to, message) => links?.send(to, message) ?? false },
    intents: new Map(store.state.intents.map((intent) => [intent.key, intent])),
    onIntents(intents: Intents, taken: readonly Intent[]) {
      savedIntents = save({ intents: [...intents.values()] });
      savedIntents.catch(() => undefined);
      logIntents(log, taken);
      if (!taken.some(({ key }) => parseCertificateKey(key) !== null)) return;
      certificates?.wake();
      issuer?.wake();
    },
    onChange: () => {
      haproxy.wake();
      loop.wake();
    },
    onRefused: (peer, cause) => log.warn('alert', { id: 'refused-gossip', subject: peer }, cause),
  });

  // HAProxy may be heard of before the journals can be looked at.
  let certificates: CertificateKeeping | null = null;
  let issuer: Issuer | null = null;
  const runningSwaps = new Set<string>();
  const haproxy = haproxyPart({
    node,
    config,
    clock,
    files: privileges.files,
    reload: () => privileges.commands.reload(),
    intents: gossip.intents,
    servers: store.state.servers,
    saveServers: (servers) => savedQuietly({ servers }),
    elsewhere: () =>
      (loop.report()?.addresses ?? [])
        .filter(({ state }) => state !== 'MASTER')
        .flatMap(({ vips }) => vips),
    onChange: () => loop.wake(),
    onDrift: (drift, restored) => log.warn(...driftLine(drift, restored)),
    onLiveness(liveness) {
      log.info('haproxy-changed', { ...liveness }, `HAProxy ${liveness.kind}`);
      if (liveness.kind === 'up') certificates?.wake();
      if (liveness.kind !== 'barred') problems.clear('haproxy-socket');
      else problems.raise('haproxy-socket', liveness.cause, STATS_GROUP);
    },
  });

  const { devd: path } = config.carp;
  const devd = carpEvents({ path, clock, problems, changed: () => loop.carpChanged() });
  const { acts, observes } = privileges;
  const kernel = carp({ exec: execWithin(TOOL_MS), tools: config.carp.tools, acts });
  const loop = startLoop({
    node,
    epoch: store.state.epoch,
    agentVersion: VERSION,
    policy,
    networks: config.networks,
    clock,
    carp: kernel,
    observes: observes !== '',
    timing,
    prober: second.prober,
    pollMs: POLL_MS,
    icmp: second.icmp,
    gossip,
    haproxy: () => [haproxy.report()],
    applied: haproxy.applied,
    problems: problems.list,
    carpEvents: devd.state,
    durable: store.state,
    save,
    log: loopLog(log),
  });
  links = startLinks({
    peers: config.peers,
    tls,
    clock,
    random: () => randomInt(1_000_000) / 1_000_000,
    hello: gossip.hello,
    onConnected(peer) {
      lastEnd.delete(peer);
      gossip.connected(peer);
      certificates?.wake();
    },
    onClosed(peer, how, cause) {
      lastEnd.set(peer, cause);
      // The host answers and its agent does not: the kernel goes on without it.
      if (how === 'refused' || how === 'reset' || how === 'ended') gossip.gone(peer, cause);
    },
    onReply: gossip.receive,
  });
  const dialled = links;

  /** Merges, stores, tells the peers; resolves to what is newer here once it is on disk. */
  async function storeIntents(
    from: string,
    intents: readonly Intent[],
  ): Promise<readonly Intent[]> {
    const newer = gossip.store(from, intents);
    await savedIntents;
    return newer;
  }

  const look = (): Promise<Inspection> =>
    inspect({
      config,
      clock,
      report: () => loop.report(),
      paths: () => loop.view()?.paths ?? null,
      ask: haproxy.ask,
      socketPath: haproxy.socketPath,
      files: privileges.files,
      commands: privileges.commands,
    });
  const acme = acmePart({
    node,
    config: config.acme,
    clock,
    problems,
    intents: gossip.intents,
    peers: names.map((peer) => dialled.peerCalls(peer)),
  });
  const storeHere = (intents: readonly Intent[]) => storeIntents(node, intents);
  const local = localMember({
    node,
    haproxy,
    storeIntents: storeHere,
    history: loop.history,
    running: runningSwaps,
    inspect: look,
    checkChallenge: acme.check,
    renewals: (certificates) => withRenewals(certificates, issuer),
  });
  const peerMembers = names.map((peer) => peerMember(peer, dialled.peerCalls(peer)));
  const pair: Pair = {
    node,
    name: config.pair,
    clock,
    policy,
    members: [local, ...peerMembers],
    runningSwaps,
    forgetSwap: (swapId) => haproxy.swap.forget(swapId),
    certificateName: (path) => nameOf(config.certificates.map, path),
    previousBundle: (name) => haproxy.previousBundle(name),
    view: () => [selfView(), ...loop.peers()],
    intents: gossip.intents,
    onRound: (listener) => loop.onRound(listener),
  };
  const selfView = (): NodeView => ownView(node, clock.nowMs(), loop.report());

  const server = await startServer({
    listen: config.listen,
    socket: config.socket,
    bound,
    tls,
    pair: config.pair,
    node,
    peers: names,
    control: controlVerbs(
      pair,
      loop.alerts,
      loop.view,
      (peer) => lastEnd.get(peer) ?? '',
      Math.max(0, ...config.certificates.alarmDays),
      config.acme.tokenTtlMs,
    ),
    peer: peerVerbs(gossip, local, storeIntents, (peer) => dialled.hurry(peer), acme.find),
    clock,
    notices: serverNotices(log),
  });
  for (const [at, cause] of server.problems.entries())
    problemOf(`listen-${at + 1}`, cause, 'see proxyctl-agent.toml(5), socket and listen');

  const beats = heartbeats({
    gossip,
    clock,
    timing,
    log,
    because: (of) => lastEnd.get(of) ?? '',
    onChange: () => loop.wake(),
  });
  certificates = keepCertificates({
    node,
    haproxy,
    members: pair.members,
    running: runningSwaps,
    intents: gossip.intents,
    storeIntents: (intents) => storeIntents(node, intents),
    alarmDays: config.certificates.alarmDays,
    clock,
    log,
    problems,
  });
  const sync = syncAlarms({
    node,
    peers: names,
    differsSinceMs: (peer) => gossip.contact(peer)?.differsSinceMs ?? null,
    intents: () => [...gossip.intents().values()],
    clock,
    problems,
  });
  if (config.acme.directory !== '') {
    // Read at start, and only where it is wanted; one file with the rest in the package.
    const { issuing } = await import('./upkeep/issuing.ts');
    issuer = issuing({ pair, config: config.acme, parts: haproxy.swapParts, log, problems });
  }
  if (observes !== '')
    problemOf(UNPRIVILEGED, observes, 'start it as root; it becomes user of agent.toml by itself');
  const reload = reloading({ running: config, policy, tls, log, problems });
  const installed = watchInstalled(fileURLToPath(import.meta.url), clock, problems);
  loop.wake();

  return {
    lost: privileges.lost,
    addresses: server.addresses,
    reload(next) {
      reload(next);
      loop.wake();
    },
    ...endings({ loop, carp: kernel, haproxy, clock, log }, privileges.will),
    async stop() {
      beats.stop();
      certificates?.stop();
      sync.stop();
      issuer?.stop();
      installed.stop();
      acme.close();
      for (const name of names) dialled.send(name, { kind: 'goodbye', reason: 'stopped' });
      devd.close();
      second.prober.close();
      await loop.stop();
      haproxy.close();
      await Promise.all([dialled.close(), server.close(GRACE_MS)]);
      await savedIntents.catch(() => undefined);
      privileges.close();
    },
    problem: (subject, cause, remedy) => problems.raise(subject, cause, remedy),
    solved: (subject) => problems.clear(subject),
  };
}
