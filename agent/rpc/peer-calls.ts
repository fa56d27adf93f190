import type { MethodDefinition, ServiceError } from '@grpc/grpc-js';
import { PeerService } from '../../proto/gen/services.ts';
import type { ServerReading } from '../core/answers.ts';
import { DRILL_MEANS } from '../core/drill.ts';
import { inParts } from '../core/intent-limits.ts';
import type { Intent } from '../core/model.ts';
import { inspectionFrom } from '../core/doctor/inspection.ts';
import type { Member } from '../core/member.ts';
import { ActFailure } from '../core/results.ts';
import type { SwapReading } from '../core/certs/swap-messages.ts';
import type { Clock } from '../sys/clock.ts';
import { failureFromStatus, notReached } from '../wire/failed-calls.ts';
import { auditAskToWire } from '../wire/audit.ts';
import { configFromWire } from '../wire/config.ts';
import {
  deployStateFromWire,
  pushPrepareToWire,
  pushReadingFromWire,
  pushStandingFromWire,
} from '../wire/config-push.ts';
import { deployAnswerFromWire } from '../wire/deploy.ts';
import { eventsAskToWire } from '../wire/events.ts';
import { changeFromWire } from '../wire/history.ts';
import { intentFromWire, intentToWire } from '../wire/intents.ts';
import { serverFromWire } from '../wire/servers.ts';
import { inspectedFromWire, standingFromWire } from '../wire/swaps.ts';
import { swapFromWire, swapPrepareToWire } from '../wire/swaps.ts';
import { WireError, each, oneOf } from '../wire/fields.ts';

/** How long a peer may take to write a few bytes to its disk, or to look at a few things, ms. */
const STORE_MS = 2000;
/** To ask its own responder on every address, each within 2 s. */
const CHALLENGE_MS = 4000;
/** To look into its webroot: a CA waits meanwhile. */
const FIND_MS = 2000;
/** To do one step of a swap, or to read every certificate. */
const SWAP_MS = 10_000;
/** A long reply of HAProxy, after one that was asked for before. */
const SHOW_MS = 9000;
/** To read the files of HAProxy's configuration, after one that was asked for before. */
const CONFIG_MS = 9000;
/** To read the end of a file, after one that was asked for before. */
const LINES_MS = 5000;
/** The longest timeout of a target, and a little. */
const NOTIFY_MS = 65_000;
/** Root checks for up to 45 s, after what it was asked before. */
const DEPLOY_MS = 60_000;
/** To install, reload, see that it serves, and to put all that back. */
const PUSH_MS = 300_000;
/** To start who guards its frontends, and to have HAProxy close or open each. */
const FRONTENDS_MS = 8000;
/** Longer than any part of an inspection takes. */
const INSPECT_MS = 12_000;

/** The part of a connection that calls go through. */
export interface Channel {
  makeUnaryRequest<Req, Res>(
    path: string,
    serialize: (request: Req) => Buffer,
    deserialize: (bytes: Buffer) => Res,
    request: Req,
    options: { readonly deadline: number },
    answered: (error: ServiceError | null, value?: Res) => void,
  ): unknown;
}

/**
 * Another node over its agent, by the connection that its gossip holds: `connection` gives the
 * present one, or the sentence why there is none. Each call ends within a time of its own.
 */
export function peerCalls(node: string, connection: () => Channel | string, clock: Clock): Member {
  const call = async <Req, Res, T>(
    name: string,
    withinMs: number,
    changes: boolean,
    method: Method<Req, Res>,
    request: Req,
    read: (reply: Res) => T,
  ): Promise<T> => {
    const client = connection();
    if (typeof client === 'string') throw notReached(node, client);
    const reply = await new Promise<Res>((resolve, reject) => {
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        { deadline: Date.now() + withinMs }, // grpc-js turns it into a timer at once
        (error: ServiceError | null, value?: Res) => {
          if (value === undefined || error !== null)
            reject(
              error === null
                ? noReply(node, name)
                : failureFromStatus(error, { peer: node, name, changes }),
            );
          else resolve(value);
        },
      );
    });
    try {
      return read(reply);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const detail = { code: 'bad_reply', message: `${name} on ${node}: ${error.message}` };
      throw new ActFailure(changes ? 'result-unknown' : 'failed', detail, { cause: error });
    }
  };
  /** A reply that names another node than the one that was dialled is no reply. */
  const from = (named: string) => {
    if (named !== node) throw new WireError('node', `${JSON.stringify(named)} answered`);
  };
  const swap = (reply: Parameters<typeof swapFromWire>[0]): SwapReading => {
    from(reply.node);
    return swapFromWire(reply);
  };

  return {
    node,
    async storeIntents(intents) {
      const newer: Intent[] = [];
      for (const part of inParts(intents)) {
        const request = { intents: part.map((intent) => intentToWire(intent, clock.wallMs())) };
        const method = PeerService.storeIntents;
        await call('store intents', STORE_MS, true, method, request, (reply) => {
          from(reply.node);
          const wallMs = clock.wallMs();
          newer.push(...each('newer', reply.newer, (one, at) => intentFromWire(one, wallMs, at)));
        });
      }
      return { newer };
    },
    async findServers(instance, backend) {
      const servers: ServerReading[] = [];
      for (let more = true; more;) {
        const request = { instance, backend, offset: servers.length };
        const method = PeerService.findServers;
        more = await call('find servers', STORE_MS, false, method, request, (reply) => {
          from(reply.node);
          servers.push(...each('servers', reply.servers, serverFromWire));
          return reply.more && reply.servers.length > 0;
        });
      }
      return servers;
    },
    shutSessions: (instance, backend, server) => {
      const request = { instance, backend, server };
      return call('shut sessions', STORE_MS, true, PeerService.shutSessions, request, (reply) =>
        from(reply.node),
      );
    },
    show: (command) =>
      call('show', SHOW_MS, false, PeerService.show, { command }, (reply) => {
        from(reply.node);
        return { bytes: reply.text, cut: reply.cut };
      }),
    checkConfig: (message) =>
      call('config check', DEPLOY_MS, false, PeerService.checkConfig, { message }, (reply) => {
        from(reply.node);
        return deployAnswerFromWire(reply.answer);
      }),
    pushPrepare: (prepare) => {
      const request = pushPrepareToWire(prepare);
      return call('push prepare', DEPLOY_MS, true, PeerService.pushPrepare, request, (reply) => {
        from(reply.node);
        return pushReadingFromWire(reply);
      });
    },
    pushStep: (pushId, step) => {
      const method = PeerService.pushStep;
      return call(`push ${step}`, PUSH_MS, true, method, { pushId, step }, (reply) =>
        from(reply.node),
      );
    },
    pushState: (pushId, number) => {
      const request = { pushId, number };
      return call('push state', DEPLOY_MS, false, PeerService.pushState, request, (reply) => {
        from(reply.node);
        return pushStandingFromWire(reply);
      });
    },
    deployState: () =>
      call('config history', DEPLOY_MS, false, PeerService.fetchDeployState, {}, (reply) => {
        from(reply.node);
        return deployStateFromWire(reply.state);
      }),
    readConfig: (key) =>
      call('read config', CONFIG_MS, false, PeerService.readConfig, { key }, (reply) => {
        from(reply.node);
        return configFromWire(reply.config);
      }),
    checkChallenge: (token) => {
      const method = PeerService.checkChallenge;
      return call('check challenge', CHALLENGE_MS, false, method, { token }, (reply) => {
        from(reply.node);
        return reply.addresses;
      });
    },
    findChallenge: (token) =>
      call('find challenge', FIND_MS, false, PeerService.findChallenge, { token }, (reply) => {
        from(reply.node);
        return reply.keyAuthorization;
      }),
    history: () =>
      call('history', STORE_MS, false, PeerService.fetchHistory, {}, (reply) => {
        from(reply.node);
        const wallMs = clock.wallMs();
        return each('changes', reply.changes, (one, at) => changeFromWire(one, wallMs, at));
      }),
    swapPrepare: (prepare) => {
      const request = swapPrepareToWire(prepare);
      return call('swap prepare', SWAP_MS, true, PeerService.swapPrepare, request, swap);
    },
    swapCommit: (swapId) =>
      call('swap commit', SWAP_MS, true, PeerService.swapCommit, { swapId }, swap),
    swapAbort: (swapId) =>
      call('swap abort', SWAP_MS, true, PeerService.swapAbort, { swapId }, swap),
    swapFinish: (swapId) =>
      call('swap finish', SWAP_MS, true, PeerService.swapFinish, { swapId }, swap),
    swapState: (swapId) =>
      call('swap state', STORE_MS, false, PeerService.swapState, { swapId }, (reply) => {
        from(reply.node);
        return standingFromWire(reply);
      }),
    fetchBundle: (name, sha256) =>
      call('fetch bundle', SWAP_MS, false, PeerService.fetchBundle, { name, sha256 }, (reply) => {
        from(reply.node);
        return Buffer.from(reply.pem).toString('utf8');
      }),
    inspectCertificates: (served) => {
      const method = PeerService.inspectCertificates;
      return call('inspect certificates', SWAP_MS, false, method, { served }, (reply) => {
        from(reply.node);
        return each('certificates', reply.certificates, inspectedFromWire);
      });
    },
    storeRevocations: (list) => {
      const method = PeerService.storeRevocations;
      return call('store revocations', STORE_MS, true, method, { list }, (reply) => {
        from(reply.node);
        return reply.changed;
      });
    },
    audit: (ask) => {
      const request = auditAskToWire(ask);
      return call('audit', LINES_MS, false, PeerService.fetchAudit, request, (reply) => {
        from(reply.node);
        return { lines: reply.lines, leftOut: reply.leftOut };
      });
    },
    events: (ask) => {
      const request = eventsAskToWire(ask);
      return call('events', LINES_MS, false, PeerService.fetchEvents, request, (reply) => {
        from(reply.node);
        return { lines: reply.lines, leftOut: reply.leftOut };
      });
    },
    testNotify: (target) => {
      const method = PeerService.testNotify;
      return call('notify test', NOTIFY_MS, true, method, { target }, (reply) => {
        from(reply.node);
        return reply.targets.map(({ name, problem, tookMs }) => ({ name, problem, tookMs }));
      });
    },
    closeFrontends: (means, leaseMs) => {
      const request = { means: means ?? '', leaseMs };
      const method = PeerService.closeFrontends;
      return call('close frontends', FRONTENDS_MS, true, method, request, (reply) => {
        from(reply.node);
        return oneOf('means', reply.means, DRILL_MEANS);
      });
    },
    openFrontends: () =>
      call('open frontends', FRONTENDS_MS, true, PeerService.openFrontends, {}, (reply) =>
        from(reply.node),
      ),
    endAgent: () =>
      call('end agent', STORE_MS, true, PeerService.endAgent, {}, (reply) => from(reply.node)),
    inspect: () =>
      call('inspect', INSPECT_MS, false, PeerService.inspect, {}, (reply) => {
        from(reply.node);
        return inspectionFrom(node, reply.inspection);
      }),
  };
}

type Method<Req, Res> = Pick<
  MethodDefinition<Req, Res>,
  'path' | 'requestSerialize' | 'responseDeserialize'
>;

const noReply = (node: string, name: string): ActFailure =>
  new ActFailure('result-unknown', { code: 'no_answer', message: `${name} on ${node}: no answer` });
