import { status as Code } from '@grpc/grpc-js';
import type { ServerWritableStream, handleUnaryCall } from '@grpc/grpc-js';
import { grpc } from '../../proto/gen/messages.js';
import type { Audit } from '../core/audit/audit.ts';
import { partyOf, type Calling, type Origin } from './access.ts';
import type { Notices } from './notices.ts';
import { failureToStatus } from './failures.ts';
import { turnedAway } from './turned-away.ts';

type Request = grpc.health.v1.HealthCheckRequest;
type Response = grpc.health.v1.HealthCheckResponse.$Properties;

const SERVING = grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING;
const NOT_SERVING = grpc.health.v1.HealthCheckResponse.ServingStatus.NOT_SERVING;
const SERVICE_UNKNOWN = grpc.health.v1.HealthCheckResponse.ServingStatus.SERVICE_UNKNOWN;

/**
 * The standard health service: an agent that answers serves, until it closes. It asks who it is
 * as the other services do: any operator, or a configured peer.
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export function health(
  services: readonly string[],
  context: { readonly origin: Origin; readonly notices: Notices; readonly audit: Audit },
) {
  const { origin } = context;
  const watchers = new Set<ServerWritableStream<Request, Response>>();
  const known = (service: string) => service === '' || services.includes(service);

  /** Why a caller is turned away, as the status of its call; null: it may ask. */
  const refusal = (call: Calling): ReturnType<typeof failureToStatus> | null => {
    try {
      partyOf(origin, call);
      return null;
    } catch (error) {
      return failureToStatus(turnedAway(context, call, 'health', error));
    }
  };

  const check: handleUnaryCall<Request, Response> = (call, reply) => {
    const refused = refusal(call);
    if (refused !== null) return reply(refused);
    const { service } = call.request;
    if (known(service)) reply(null, { status: SERVING });
    else reply({ code: Code.NOT_FOUND, details: `no service ${JSON.stringify(service)} here` });
  };
  const watch = (call: ServerWritableStream<Request, Response>): void => {
    call.on('error', () => undefined);
    const refused = refusal(call);
    if (refused !== null) return void call.emit('error', refused);
    call.on('cancelled', () => watchers.delete(call));
    watchers.add(call);
    call.write({ status: known(call.request.service) ? SERVING : SERVICE_UNKNOWN });
  };
  return {
    handlers: { check, watch },
    /** Tells every watcher that this agent no longer serves. */
    endAll(): void {
      for (const call of watchers) {
        call.write({ status: NOT_SERVING });
        call.end();
      }
      watchers.clear();
    },
  };
}
