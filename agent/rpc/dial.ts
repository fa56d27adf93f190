import { isIPv6 } from 'node:net';
import { Client, status as Code } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { PeerService } from '../../proto/gen/services.ts';
import type { GossipMessage } from '../core/gossip.ts';
import type { Clock } from '../sys/clock.ts';
import { gossipFromWire, gossipToWire } from '../wire/gossip.ts';
import { objection } from './hello.ts';
import type { Hello } from './hello.ts';
import { splitAddress } from '../wire/address.ts';
import { createOutbox } from './outbox.ts';
import type { Outbox } from './outbox.ts';
import type { Tls } from './tls.ts';
import { newTrace, reasonOf } from './link-end.ts';
import type { LinkEnd } from './link-end.ts';
import type { Objection } from './vouched.ts';

export interface LinkTiming {
  /** From the first packet to the peer's hello. */
  readonly dialMs: number;
  /** A link asks for a hello this often ... */
  readonly pingMs: number;
  /** ... and is given up when none came for so long. */
  readonly silenceMs: number;
  /** How long one message may wait for the connection to take it. */
  readonly stallMs: number;
}

/** How long a peer may take to hear our goodbye and the end of the stream. */
const CLOSE_MS = 500;
/** How long calls may go on over a connection that another took the place of: longer than any takes. */
const RETIRE_MS = 15_000;
/** How long one may go on whose peer only a CA vouches for that is gone: another is being dialled. */
const REPLACE_MS = 1000;

/** One connection to one address of one peer, from dialling to its end. */
export interface Connection {
  /** The grpc-js client of this very connection, for plain calls. */
  readonly client: Client;
  send(message: GossipMessage): void;
  /** Writes what waits, says the end, and calls back when it is over; `ended` is not called. */
  close(then: () => void): void;
  /** Another takes its place: says the end, and lets calls under way finish; `ended` is not called. */
  retire(): void;
}

/** Dials; then calls `opened` at most once, and `ended` once unless close() was called. Throws TypeError for a malformed address. */
export function dial(options: {
  readonly node: string;
  readonly address: string;
  readonly tls: Tls;
  readonly clock: Clock;
  readonly timing: LinkTiming;
  readonly hello: () => Hello;
  readonly opened: (theirs: Hello) => void;
  readonly reply: (message: GossipMessage) => void;
  readonly ended: (end: LinkEnd) => void;
}): Connection {
  const { node, address, clock, timing } = options;
  const trace = newTrace();
  const client = new Client(target(address), options.tls.channel(node, trace), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.ssl_target_name_override': node,
    'grpc.default_authority': node,
  });
  const { path, requestSerialize, responseDeserialize } = PeerService.gossip;
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const timers: (() => void)[] = [];
  let outbox: Outbox | null = null;
  let over = false;
  let closing: (() => void) | null = null;
  let retired = false;
  let heardMs = clock.nowMs();
  let unwatch: () => void = () => undefined;

  const finish = (end: LinkEnd | null) => {
    if (over) return;
    over = true;
    for (const cancel of timers) cancel();
    unwatch();
    outbox?.stop();
    stream.cancel();
    client.close();
    trace.over = true;
    trace.socket?.destroy();
    if (closing !== null) closing();
    else if (end !== null) options.ended(end);
  };
  /** What stands against the peer's certificate since it was shown. */
  const lapsed = ({ why, text }: Objection): void => {
    const end = () => finish({ how: 'rejected', cause: `${address}: ${text}`, tcpAnswered: true });
    if (why === 'ca') timers.push(clock.after(REPLACE_MS, end));
    else end();
  };
  const silent = (cause: string) => finish({ how: 'timeout', cause, tcpAnswered: trace.tcp });
  const write = (message: GossipMessage, done?: () => void) => {
    const wire = gossipToWire(message, { nowMs: clock.nowMs(), wallMs: clock.wallMs() });
    stream.write(wire, () => done?.());
  };

  const open = (theirs: Hello) => {
    const problem = objection(options.hello(), theirs, node);
    if (problem !== null) {
      finish({ how: 'rejected', cause: problem, tcpAnswered: true });
      return;
    }
    cancelDial();
    trace.greeted = true;
    if (trace.vouched !== null) unwatch = options.tls.sessions.watch(trace.vouched, lapsed);
    const stalled = () =>
      silent(`${address}: took nothing for ${timing.stallMs} ms though connected`);
    outbox = createOutbox({ clock, stallMs: timing.stallMs, write, stalled });
    ping(clock.nowMs());
    options.opened(theirs);
  };
  /** Asks for a hello again and again; a late timer means that we slept, not the peer. */
  const ping = (sentMs: number) => {
    const wait = clock.after(timing.pingMs, () => {
      const nowMs = clock.nowMs();
      if (nowMs - sentMs > 2 * timing.pingMs) heardMs = nowMs;
      if (nowMs - heardMs > timing.silenceMs) {
        silent(`${address}: silent for ${Math.round(nowMs - heardMs)} ms`);
        return;
      }
      outbox?.push(options.hello());
      ping(nowMs);
    });
    timers.splice(0, timers.length, wait);
  };

  const cancelDial = clock.after(timing.dialMs, () =>
    silent(
      trace.tcp
        ? `${address}: connects and does not answer within ${timing.dialMs} ms`
        : `${address}: no answer within ${timing.dialMs} ms`,
    ),
  );
  timers.push(cancelDial);
  stream.on('data', (wire: Parameters<typeof gossipFromWire>[0]) => {
    heardMs = clock.nowMs();
    try {
      const message = gossipFromWire(wire, { nowMs: heardMs, wallMs: clock.wallMs() });
      if (message.kind !== 'hello') options.reply(message);
      else if (outbox === null) open(message);
    } catch (error) {
      const cause = `${address}: ${error instanceof Error ? error.message : String(error)}`;
      finish({ how: 'rejected', cause, tcpAnswered: true });
    }
  });
  stream.on('error', (error: ServiceError) => {
    // The socket's own end is told after the stream's where both come at once.
    setImmediate(() => finish(reasonOf(address, error, trace)));
  });
  stream.on('status', ({ code }: { readonly code: Code }) => {
    const end = {
      how: 'ended',
      cause: `${address}: closed by the agent`,
      tcpAnswered: true,
    } as const;
    // One that was retired ends with its last call, or with RETIRE_MS.
    if (code === Code.OK && !retired) finish(end);
  });
  write(options.hello());

  return {
    client,
    send: (message) => outbox?.push(message),
    close(then) {
      if (over) {
        then();
        return;
      }
      closing = then;
      if (outbox === null) {
        finish(null);
        return;
      }
      timers.push(clock.after(CLOSE_MS, () => finish(null)));
      outbox.whenEmpty(() => stream.end());
    },
    retire() {
      if (over) return;
      closing = () => undefined;
      for (const cancel of timers.splice(0)) cancel();
      timers.push(clock.after(RETIRE_MS, () => finish(null)));
      retired = true;
      outbox?.whenEmpty(() => stream.end());
      client.close();
    },
  };
}

/** An address as grpc-js takes it without asking DNS. */
function target(address: string): string {
  const parts = splitAddress(address);
  if (parts === null) throw new TypeError(`peer address ${address}: not HOST:PORT or [HOST]:PORT`);
  const { host, port } = parts;
  return isIPv6(host) ? `ipv6:[${host}]:${port}` : `ipv4:${host}:${port}`;
}
