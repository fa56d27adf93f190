import { challenges } from '../acme/challenges.ts';
import type { Issuer } from '../acme/issuer.ts';
import { nameOf } from '../certs/names.ts';
import type { HostCertificates } from '../certs/host-certificates.ts';
import type { Config } from '../config/config.ts';
import type { Status } from '../core/answers.ts';
import { runningDrill } from '../core/drill.ts';
import type { Member } from '../core/member.ts';
import type { Policy } from '../core/model.ts';
import { clientPlaces } from '../haproxy/binds.ts';
import type { ConfigReader } from '../haproxy/config-reading.ts';
import { readSections } from '../haproxy/config-text.ts';
import type { Haproxy } from '../haproxy/haproxy.ts';
import type { StatsSocket } from '../haproxy/stats-socket.ts';
import { inspect } from '../inspect/inspect.ts';
import type { startNode } from '../node.ts';
import type { Privileges } from '../privilege/privileges.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import { withRenewals } from '../upkeep/certificates.ts';
import type { HostFiles } from './host-files.ts';
import { hostPush } from './host-push.ts';
import { vipsElsewhere } from '../loop/observe.ts';
import { rootState } from '../deploy/state.ts';
import { checkHere } from '../verbs/config-check.ts';
import { localMember } from '../verbs/local-member.ts';
import type { Pair } from '../verbs/pair.ts';
import { status } from '../verbs/status.ts';

/** The pair as the verbs of this agent use it: this node directly, the others over their agents. */
export function hostPair(host: {
  readonly config: Config;
  readonly clock: Clock;
  readonly policy: Policy;
  readonly privileges: Privileges;
  readonly problems: Problems;
  readonly running: ReturnType<typeof startNode<Haproxy>>;
  readonly socket: StatsSocket;
  readonly certificates: HostCertificates;
  readonly configuration: ConfigReader;
  readonly others: readonly Member[];
  readonly files: Pick<HostFiles, 'storeRevocations' | 'audit' | 'events' | 'revocations'>;
  readonly testNotify: Member['testNotify'];
  /** Ends this process a moment later; null: nobody starts it again. */
  readonly endAgent: (() => void) | null;
  /** Why a peer is not heard, as the transport knows it. */
  readonly silence: (peer: string) => string;
  /** Null as long as none orders certificates here. */
  readonly issuer: () => Issuer | null;
}) {
  const { config, clock, policy, privileges, problems, running, socket, certificates } = host;
  const { node } = config;
  const { loop, gossip, haproxy } = running;
  const acme = challenges({
    node,
    config: config.acme,
    clock,
    problems,
    intents: gossip.intents,
    peers: host.others,
  });
  const runningSwaps = new Set<string>();
  const runningPushes = new Set<string>();
  const push = hostPush({ ...host, haproxy, elsewhere: () => vipsElsewhere(loop.report()) });
  const local = localMember({
    node,
    haproxy,
    certificates,
    storeIntents: (intents) => running.storeIntents(node, intents),
    history: loop.history,
    running: runningSwaps,
    inspect: () =>
      inspect({
        config,
        clock,
        report: loop.report,
        paths: () => loop.view()?.paths ?? null,
        ask: socket.ask,
        socketPath: socket.path,
        files: privileges.files,
        commands: privileges.commands,
      }),
    readConfig: (key) => host.configuration.read(key),
    checkChallenge: acme.check,
    findChallenge: acme.find,
    storeRevocations: host.files.storeRevocations,
    push,
    runningPushes,
    deployState: () => rootState(privileges.deployments, node),
    checkConfig: checkHere(privileges.deployments, () => host.files.revocations.text()),
    audit: (ask) => host.files.audit.lines(ask),
    events: (ask) => host.files.events.lines(ask),
    testNotify: host.testNotify,
    endAgent: host.endAgent,
    drill: () => runningDrill(gossip.intents(), clock.wallMs()),
    renewals: (found) => withRenewals(found, host.issuer()),
  });
  const pair: Pair = {
    node,
    name: config.pair,
    clock,
    policy,
    members: [local, ...host.others],
    runningSwaps,
    runningPushes,
    forgetPush: (pushId) => push.forget(pushId),
    runningDrills: new Set(),
    forgetSwap: (swapId) => certificates.swap.forget(swapId),
    certificateName: (path) => nameOf(config.certificates.map, path),
    previousBundle: (name) => certificates.previousBundle(name),
    clientPlaces: async (vips) =>
      clientPlaces(await readSections(config.haproxy.config).catch(() => []), vips),
    view: running.view,
    intents: gossip.intents,
    onRound: (listener) => loop.onRound(listener),
  };
  /** From memory: nobody is asked. */
  const statusNow = (): Status => status({ pair, alerts: loop.alerts, silence: host.silence });
  return { pair, local, acme, push, status: statusNow };
}
