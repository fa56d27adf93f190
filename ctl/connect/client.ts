import { proxyctl } from '../../proto/gen/messages.js';
import { ControlService } from '../../proto/gen/services.ts';
import type { DoctorAnswer } from '../../agent/core/doctor/finding.ts';
import { ActFailure } from '../../agent/core/results.ts';
import type { ConfigVersions } from '../../agent/core/deploy/versions.ts';
import type { ConfigChecked } from '../../agent/core/deploy/checked.ts';
import type { ConfigAnswer } from '../../agent/core/haproxy-config/reading.ts';
import type { ShowAnswer } from '../../agent/core/show-commands.ts';
import type { ControlVerbs } from '../../agent/core/verbs.ts';
import { sentence } from '../../agent/core/words.ts';
import {
  automationToWire,
  challengeToWire,
  maintenanceToWire,
  moveToWire,
  pushToWire,
  rollbackToWire,
  serversToWire,
  weightsToWire,
  revocationsToWire,
} from '../../agent/wire/acts.ts';
import { drillSeenToWire, drillToWire } from '../../agent/wire/drill.ts';
import { auditAskToWire } from '../../agent/wire/audit.ts';
import { eventsAskToWire } from '../../agent/wire/events.ts';
import { notifyTestedFromWire } from '../../agent/wire/notify.ts';
import { linesFromWire } from '../../agent/wire/lines.ts';
import { doctorFromWire } from '../../agent/wire/doctor.ts';
import { explainFromWire } from '../../agent/wire/explain.ts';
import { historyFromWire } from '../../agent/wire/history.ts';
import { serversAnswerFromWire } from '../../agent/wire/servers.ts';
import { configAnswerFromWire, configAskToWire } from '../../agent/wire/config.ts';
import { configPushToWire, versionsFromWire } from '../../agent/wire/config-push.ts';
import { configCheckedFromWire } from '../../agent/wire/deploy.ts';
import { showAnswerFromWire } from '../../agent/wire/show.ts';
import { statusFromWire } from '../../agent/wire/status.ts';
import { certificatesFromWire } from '../../agent/wire/swaps.ts';
import { AGENT_MS, callsTo } from './calls.ts';
import type { Context, Target } from './contexts.ts';
import { dial } from './dial.ts';
import type { Channel } from './grpc.ts';

/** An agent that answered its door, and how to ask it. */
export interface Agent extends ControlVerbs {
  /** What the context calls it. */
  readonly name: string;
  close(): void;
}

/** To reach one agent; --timeout shortens it, but a loaded host is given a second. */
const CONNECT_MS = { least: 1000, most: 3000 };
/** Every node asks its HAProxy meanwhile. */
const SHOW_MS = 12_000;
/** Every node reads its files meanwhile. */
const CONFIG_MS = 12_000;
/** Root of every node checks for up to 45 s, after what it was asked before. */
const CHECK_MS = 70_000;
/** One node after the other: checked, installed, reloaded and seen to serve. */
const PUSH_MS = 1_200_000;
/** The longest timeout of a target, on two nodes at once. */
const NOTIFY_MS = 70_000;
const NO_BYTES = new Uint8Array();
/** Every node reads the end of a file meanwhile. */
const LINES_MS = 8000;
/** An agent waits ten seconds for another that has thousands. */
const CERTIFICATES_MS = 15_000;
/** Every node looks at itself meanwhile. */
const DOCTOR_MS = 20_000;
/** Maintenance, cutting sessions and looking again, on every node. */
const AFTER_WAIT_MS = 30_000;
/** As long as an agent may take to carry a drill out and to put everything back. */
const DRILL_MS = 60_000;
const CHUNK = 16_384;

/**
 * Connects to the first agent of the context that answers, each within
 * `timeoutMs` (1 to 3 s; null: 3 s); `passedOver` hears of the others. Rejects with
 * ActFailure 'unreachable' when none does.
 */
export async function reach(
  context: Context,
  timeoutMs: number | null,
  passedOver: (name: string, cause: string) => void,
): Promise<Agent> {
  const causes: string[] = [];
  const { least, most } = CONNECT_MS;
  const limitMs = Math.max(least, Math.min(most, timeoutMs ?? most));
  for (const target of context.targets) {
    const name = nameOf(target);
    try {
      return await reachOne(target, limitMs);
    } catch (error) {
      const cause = sentence(error);
      causes.push(`${name}: ${cause}`);
      if (causes.length < context.targets.length) passedOver(name, cause);
    }
  }
  throw new ActFailure('unreachable', {
    code: 'unreachable',
    message: `no agent of context ${context.name} can be reached`,
    cause: causes.join('; '),
    remediation: 'on the hosts: service proxyagent status',
    retryable: true,
  });
}

/** One agent within `timeoutMs`; rejects with a sentence that says why not. */
export const reachOne = async (target: Target, timeoutMs: number): Promise<Agent> =>
  agent(nameOf(target), await dial(target, timeoutMs));

const nameOf = (target: Target): string =>
  target.node ?? (target.kind === 'socket' ? target.path : target.address);

function agent(name: string, channel: Channel): Agent {
  const { ask, asks, act } = callsTo(name, channel);
  return {
    name,
    status() {
      const { path, requestSerialize } = ControlService.status;
      const at = { nowMs: performance.now(), wallMs: Date.now() };
      return ask('status', path, requestSerialize({}), (reply) =>
        statusFromWire(proxyctl.v1.StatusReply.decode(reply), at),
      );
    },
    explain(addresses) {
      const { path, requestSerialize } = ControlService.explain;
      const nowMs = performance.now();
      return ask('explain', path, requestSerialize({ addresses: [...addresses] }), (reply) =>
        explainFromWire(proxyctl.v1.ExplainReply.decode(reply), nowMs),
      );
    },
    history(addresses, limit) {
      const { path, requestSerialize } = ControlService.history;
      const request = { addresses: [...addresses], limit: limit ?? 0 };
      return ask('history', path, requestSerialize(request), (reply) =>
        historyFromWire(proxyctl.v1.HistoryReply.decode(reply), Date.now()),
      );
    },
    doctor({ addresses, nodes }) {
      const { path, requestSerialize } = ControlService.doctor;
      const request = requestSerialize({ addresses: [...addresses], nodes: [...nodes] });
      const read = (reply: Buffer): DoctorAnswer =>
        doctorFromWire(proxyctl.v1.DoctorReply.decode(reply));
      return ask('doctor', path, request, read, DOCTOR_MS);
    },
    move: (move, report) => {
      const { path, requestSerialize } = ControlService.move;
      const request = requestSerialize(moveToWire(move));
      return act('move', path, [request], move.header.timeoutMs, report);
    },
    setMaintenance: (maintenance, report) => {
      const { path, requestSerialize } = ControlService.setMaintenance;
      const request = requestSerialize(maintenanceToWire(maintenance));
      return act('maintenance', path, [request], maintenance.header.timeoutMs, report);
    },
    setAutomation: (automation, report) => {
      const { path, requestSerialize } = ControlService.setAutomation;
      const request = requestSerialize(automationToWire(automation));
      return act('automation', path, [request], automation.header.timeoutMs, report);
    },
    setServers: (servers, report) => {
      const { path, requestSerialize } = ControlService.setServers;
      const request = requestSerialize(serversToWire(servers));
      const timeoutMs = servers.header.timeoutMs;
      // What is done at the end of a wait takes its time too.
      const more = servers.wait === null ? 0 : AFTER_WAIT_MS;
      return act('set servers', path, [request], (timeoutMs ?? AGENT_MS) + more, report);
    },
    setWeights: (weights, report) => {
      const { path, requestSerialize } = ControlService.setWeights;
      const request = requestSerialize(weightsToWire(weights));
      return act('set weights', path, [request], weights.header.timeoutMs, report);
    },
    servers(backend) {
      const { path, requestSerialize } = ControlService.servers;
      return asks('servers', path, requestSerialize({ backend: backend ?? '' }), (pages) =>
        serversAnswerFromWire(
          pages.map((page) => proxyctl.v1.ServersReply.decode(page)),
          Date.now(),
        ),
      );
    },
    show(command) {
      const { path, requestSerialize } = ControlService.show;
      const read = (pieces: readonly Buffer[]): ShowAnswer =>
        showAnswerFromWire(pieces.map((piece) => proxyctl.v1.ShowCommandReply.decode(piece)));
      return asks('haproxy', path, requestSerialize({ command }), read, SHOW_MS);
    },
    readConfig(ask) {
      const { path, requestSerialize } = ControlService.readConfig;
      const read = (pieces: readonly Buffer[]): ConfigAnswer =>
        configAnswerFromWire(pieces.map((piece) => proxyctl.v1.ConfigReply.decode(piece)));
      return asks('config', path, requestSerialize(configAskToWire(ask)), read, CONFIG_MS);
    },
    checkConfig(message) {
      const { path, requestSerialize } = ControlService.checkConfig;
      const read = (pieces: readonly Buffer[]): ConfigChecked =>
        configCheckedFromWire(pieces.map((piece) => proxyctl.v1.CheckConfigReply.decode(piece)));
      return asks('config check', path, requestSerialize({ message }), read, CHECK_MS);
    },
    pushConfig: (push, report) => {
      const { path, requestSerialize } = ControlService.pushConfig;
      const request = requestSerialize(configPushToWire(push));
      return act('config push', path, [request], PUSH_MS, report);
    },
    configVersions() {
      const { path, requestSerialize } = ControlService.configVersions;
      const read = (pieces: readonly Buffer[]): ConfigVersions =>
        versionsFromWire(pieces.map((piece) => proxyctl.v1.ConfigVersionsReply.decode(piece)));
      return asks('config history', path, requestSerialize({}), read, CHECK_MS);
    },
    setChallenge: (challenge, report) => {
      const { path, requestSerialize } = ControlService.setChallenge;
      const request = requestSerialize(challengeToWire(challenge));
      return act('acme', path, [request], challenge.header.timeoutMs, report);
    },
    pushCertificate: (push, report) => {
      const { path, requestSerialize } = ControlService.pushCertificates;
      const messages = [requestSerialize({ request: pushToWire(push) })];
      for (const [number, bundle] of push.bundles.entries()) {
        const pem = Buffer.from(bundle.pem);
        if (number > 0) messages.push(requestSerialize({ next: { path: bundle.path ?? '' } }));
        for (let at = 0; at < pem.length; at += CHUNK)
          messages.push(requestSerialize({ chunk: pem.subarray(at, at + CHUNK) }));
      }
      return act('push certificate', path, messages, push.header.timeoutMs, report);
    },
    rollbackCertificates: (rollback, report) => {
      const { path, requestSerialize } = ControlService.rollbackCertificates;
      const request = requestSerialize(rollbackToWire(rollback));
      return act('roll back', path, [request], rollback.header.timeoutMs, report);
    },
    publishRevocations: (revocations, report) => {
      const { path, requestSerialize } = ControlService.publishRevocations;
      const request = requestSerialize(revocationsToWire(revocations));
      return act('publish revocations', path, [request], revocations.header.timeoutMs, report);
    },
    audit(ask) {
      const { path, requestSerialize } = ControlService.audit;
      return asks(
        'audit',
        path,
        requestSerialize(auditAskToWire(ask)),
        (parts) => linesFromWire(parts.map((part) => proxyctl.v1.AuditReply.decode(part))),
        LINES_MS,
      );
    },
    events(ask) {
      const { path, requestSerialize } = ControlService.events;
      return asks(
        'events',
        path,
        requestSerialize(eventsAskToWire(ask)),
        (parts) => linesFromWire(parts.map((part) => proxyctl.v1.EventsReply.decode(part))),
        LINES_MS,
      );
    },
    testNotify(target) {
      const { path, requestSerialize } = ControlService.testNotify;
      return asks(
        'notify test',
        path,
        requestSerialize({ target }),
        ([part]) => notifyTestedFromWire(proxyctl.v1.TestNotifyReply.decode(part ?? NO_BYTES)),
        NOTIFY_MS,
      );
    },
    drill: (drill, report) => {
      const { path, requestSerialize } = ControlService.drill;
      const request = requestSerialize(drillToWire(drill));
      return act('drill', path, [request], drill.stayMs + DRILL_MS, report);
    },
    drillSeen: (seen, report) => {
      const { path, requestSerialize } = ControlService.drillSeen;
      const request = requestSerialize(drillSeenToWire(seen));
      return act('drill seen', path, [request], seen.header.timeoutMs, report);
    },
    certificates(served) {
      const { path, requestSerialize } = ControlService.certificates;
      return ask(
        'certificates',
        path,
        requestSerialize({ served }),
        (reply) => certificatesFromWire(proxyctl.v1.CertificatesReply.decode(reply), Date.now()),
        CERTIFICATES_MS,
      );
    },
    close: () => channel.close(),
  };
}
