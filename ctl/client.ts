import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import {
  ChannelCredentials,
  Client,
  connectivityState,
  type ClientReadableStream,
} from '@grpc/grpc-js';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import type { proxyctl } from '../proto/gen/messages.js';
import { ControlService } from '../proto/gen/services.ts';
import {
  ActFailure,
  type ActResult,
  type AutomationAct,
  type MaintenanceAct,
  type MoveAct,
  type Progress,
  type PushAct,
  type ServersAct,
  type Status,
} from '../agent/core/acts.ts';
import type { ExplainAnswer } from '../agent/core/explain.ts';
import { sentence } from '../agent/core/words.ts';
import {
  automationToWire,
  maintenanceToWire,
  moveToWire,
  pushToWire,
  serversToWire,
} from '../agent/rpc/acts.ts';
import { explainFromWire } from '../agent/rpc/explain.ts';
import { failureFromStatus } from '../agent/rpc/failures.ts';
import { pairIn, parseIdentity } from '../agent/rpc/identity.ts';
import { progressFromWire, resultFromWire } from '../agent/rpc/results.ts';
import { statusFromWire } from '../agent/rpc/status.ts';
import type { Context, Target } from './contexts.ts';

export type Report = (progress: Progress) => void;

/** An agent that answered its door. Calls reject with ActFailure. */
export interface Agent {
  /** What the context calls it. */
  readonly name: string;
  status(): Promise<Status>;
  move(act: MoveAct, report: Report): Promise<ActResult>;
  explain(addresses: readonly string[]): Promise<ExplainAnswer>;
  setMaintenance(act: MaintenanceAct, report: Report): Promise<ActResult>;
  setAutomation(act: AutomationAct, report: Report): Promise<ActResult>;
  setServers(act: ServersAct, report: Report): Promise<ActResult>;
  pushCertificate(act: PushAct, report: Report): Promise<ActResult>;
  close(): void;
}

const CONNECT_MS = 3000;
const STATUS_MS = 5000;
/** Beyond what the agent itself waits, for the way there and back. */
const SLACK_MS = 5000;
/** An agent's own limit where the caller names none. */
const AGENT_MS = 60_000;
const CHUNK = 16_384;

/**
 * Connects to the first agent of the context that answers; `passedOver` hears
 * of the others. Rejects with ActFailure 'unreachable' when none does.
 */
export async function reach(
  context: Context,
  passedOver: (name: string, cause: string) => void,
): Promise<Agent> {
  const causes: string[] = [];
  for (const target of context.targets) {
    const name = nameOf(target);
    try {
      return await open(target);
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

const nameOf = (target: Target): string =>
  target.node ?? (target.kind === 'socket' ? target.path : target.address);

function open(target: Target): Promise<Agent> {
  const name = nameOf(target);
  const trouble: { cause: string } = { cause: '' };
  const options = {
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
  };
  const client =
    target.kind === 'socket'
      ? new Client(`unix:${target.path}`, ChannelCredentials.createInsecure(), options)
      : new Client(target.address, credentials(target, trouble), {
          ...options,
          'grpc.ssl_target_name_override': target.node,
          'grpc.default_authority': target.node,
        });
  return new Promise((resolve, reject) => {
    const channel = client.getChannel();
    let settled = false;
    const fail = (cause: string): void => {
      settled = true;
      client.close();
      reject(new Error(trouble.cause === '' ? cause : trouble.cause));
    };
    const deadlineMs = Date.now() + CONNECT_MS;
    const look = (): void => {
      if (settled) return;
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) {
        settled = true;
        resolve(agent(name, client));
      } else if (state === connectivityState.TRANSIENT_FAILURE || trouble.cause !== '')
        fail(why(target));
      else
        channel.watchConnectivityState(state, deadlineMs, (late) => {
          if (late === undefined) look();
          else if (!settled) fail(`no answer within ${CONNECT_MS / 1000} s`);
        });
    };
    look();
  });
}

const why = (target: Target): string =>
  target.kind === 'socket'
    ? `nobody answers at ${target.path}`
    : `nobody answers at ${target.address}, or not to our certificate`;

function credentials(
  { node, ca, cert, key }: Target & { readonly kind: 'tls' },
  trouble: { cause: string },
): ChannelCredentials {
  const files = { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) };
  const pair = pairIn(new X509Certificate(files.cert).subjectAltName);
  if (pair === null) throw new Error(`${cert} carries no proxyctl:// name`);
  const context = createSecureContext({ ...files, minVersion: 'TLSv1.3' });
  return ChannelCredentials.createFromSecureContext(context, {
    checkServerIdentity(_host, certificate) {
      try {
        const identity = parseIdentity(certificate.subjectaltname, pair);
        if (identity.kind === 'node' && identity.node === node) return undefined;
        const who = identity.kind === 'node' ? identity.node : identity.name;
        throw new Error(`${who} answered instead of ${node}`);
      } catch (error) {
        trouble.cause = sentence(error);
        return error instanceof Error ? error : new Error(trouble.cause);
      }
    },
  });
}

function agent(name: string, client: Client): Agent {
  const failure = (error: ServiceError, what: string, changes: boolean): ActFailure =>
    failureFromStatus(error, { peer: name, name: what, changes });
  const until = (timeoutMs: number | null): { deadline: number } => ({
    deadline: Date.now() + (timeoutMs ?? AGENT_MS) + SLACK_MS,
  });

  const outcome = (
    stream: ClientReadableStream<proxyctl.v1.Event> | ClientDuplexStream<never, proxyctl.v1.Event>,
    what: string,
    report: Report,
  ): Promise<ActResult> =>
    new Promise((resolve, reject) => {
      let result: ActResult | null = null;
      stream.on('data', (event: proxyctl.v1.Event) => {
        try {
          if (event.progress) report(progressFromWire(event.progress));
          if (event.result) result = resultFromWire(event.result, Date.now());
        } catch (error) {
          reject(unknown(what, sentence(error)));
        }
      });
      stream.on('error', (error: ServiceError) => {
        if (result === null) reject(failure(error, what, true));
      });
      stream.on('end', () => {
        if (result === null) reject(unknown(what, 'the agent ended without a result'));
        else resolve(result);
      });
    });

  return {
    name,
    status: () =>
      new Promise((resolve, reject) => {
        const { path, requestSerialize, responseDeserialize } = ControlService.status;
        const options = { deadline: Date.now() + STATUS_MS };
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          {},
          options,
          (error: ServiceError | null, reply?: proxyctl.v1.StatusReply) => {
            if (error !== null) return reject(failure(error, 'status', false));
            if (reply === undefined) return reject(unknown('status', 'an empty answer'));
            try {
              return resolve(
                statusFromWire(reply, { nowMs: performance.now(), wallMs: Date.now() }),
              );
            } catch (wrong) {
              return reject(unknown('status', sentence(wrong)));
            }
          },
        );
      }),
    move(act, report) {
      const { path, requestSerialize, responseDeserialize } = ControlService.move;
      const options = until(act.header.timeoutMs);
      const stream = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        moveToWire(act),
        options,
      );
      return outcome(stream, 'move', report);
    },
    explain: (addresses) =>
      new Promise((resolve, reject) => {
        const { path, requestSerialize, responseDeserialize } = ControlService.explain;
        const options = { deadline: Date.now() + STATUS_MS };
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          { addresses: [...addresses] },
          options,
          (error: ServiceError | null, reply?: proxyctl.v1.ExplainReply) => {
            if (error !== null) return reject(failure(error, 'explain', false));
            if (reply === undefined) return reject(unknown('explain', 'an empty answer'));
            return resolve(explainFromWire(reply, performance.now()));
          },
        );
      }),
    setMaintenance(act, report) {
      const { path, requestSerialize, responseDeserialize } = ControlService.setMaintenance;
      const stream = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        maintenanceToWire(act),
        until(act.header.timeoutMs),
      );
      return outcome(stream, 'maintenance', report);
    },
    setAutomation(act, report) {
      const { path, requestSerialize, responseDeserialize } = ControlService.setAutomation;
      const stream = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        automationToWire(act),
        until(act.header.timeoutMs),
      );
      return outcome(stream, 'automation', report);
    },
    setServers(act, report) {
      const { path, requestSerialize, responseDeserialize } = ControlService.setServers;
      const options = until(act.header.timeoutMs);
      const stream = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        serversToWire(act),
        options,
      );
      return outcome(stream, 'set servers', report);
    },
    pushCertificate(act, report) {
      const { path, requestSerialize, responseDeserialize } = ControlService.pushCertificates;
      const stream = client.makeBidiStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        until(act.header.timeoutMs),
      );
      const done = outcome(stream, 'push certificate', report);
      stream.write({ request: pushToWire(act) });
      const pem = Buffer.from(act.pem);
      for (let at = 0; at < pem.length; at += CHUNK)
        stream.write({ chunk: pem.subarray(at, at + CHUNK) });
      stream.end();
      return done;
    },
    close: () => client.close(),
  };
}

const unknown = (what: string, cause: string): ActFailure =>
  new ActFailure('result-unknown', {
    code: 'bad_answer',
    message: `${what}: the answer is not understood`,
    cause,
    remediation: 'proxyctl and agent may be of different versions: proxyctl status',
  });
