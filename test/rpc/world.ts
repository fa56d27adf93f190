import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { ChannelCredentials, Client } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import type { ExecutionContext } from 'ava';
import { proxyctl } from '../../proto/gen/messages.js';
import { ControlService } from '../../proto/gen/services.ts';
import type { ActHeader, Role } from '../../agent/core/acts.ts';
import type { ActResult } from '../../agent/core/results.ts';
import type { Status } from '../../agent/core/answers.ts';
import type { GossipMessage } from '../../agent/core/gossip.ts';
import type { Audit } from '../../agent/core/audit/audit.ts';
import type { ControlVerbs } from '../../agent/core/verbs.ts';
import type { FromPeers } from '../../agent/rpc/from-peers.ts';
import type { Hello } from '../../agent/rpc/hello.ts';
import type { ServedMember } from '../../agent/rpc/peer-service.ts';
import { startServer } from '../../agent/rpc/server.ts';
import type { Shares } from '../../agent/rpc/shares.ts';
import type { RunningServer } from '../../agent/rpc/server.ts';
import { createTls } from '../../agent/rpc/tls.ts';
import type { Tls } from '../../agent/rpc/tls.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import type { Clock } from '../../agent/sys/clock.ts';
import { createRecord } from '../record.ts';
import { memberOf, NO_AUDIT, verbsOf } from '../scripted.ts';
import { createCa } from './certificates.ts';
import type { Ca, Issued } from './certificates.ts';

/** The host's clocks; its timers keep a test alive, an agent's listeners do that for the agent. */
export const testClock: Clock = {
  ...systemClock,
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Where what a test opens is closed again. */
export type Teardown = Pick<ExecutionContext, 'teardown'>;

/** One pair's CA and a scratch directory for keys and sockets, gone when the test ends. */
export interface World {
  readonly ca: Ca;
  readonly folder: string;
  /** Writes ca.pem, NAME.pem and NAME.key (0600) and gives their paths. */
  write(name: string, issued: Issued, ca?: Ca): { ca: string; cert: string; key: string };
  tlsOf(node: string, issued?: Issued): Promise<Tls>;
  operator(name: string, role: string): Promise<Issued>;
}

export async function createWorld(t: Teardown): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-rpc-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const ca = await createCa('web');
  const world: World = {
    ca,
    folder,
    write(name, { certPem, keyPem }, by = ca) {
      const at = (file: string) => join(folder, file);
      const paths = { ca: at(`${name}.ca.pem`), cert: at(`${name}.pem`), key: at(`${name}.key`) };
      writeFileSync(paths.ca, by.certPem);
      writeFileSync(paths.cert, certPem);
      writeFileSync(paths.key, keyPem, { mode: 0o600 });
      return paths;
    },
    async tlsOf(node, issued) {
      const pair = issued ?? (await ca.issue([`proxyctl://web/node/${node}`]));
      return createTls(world.write(node, pair), 'web', node, systemClock);
    },
    operator: (name, role) => ca.issue([`proxyctl://web/operator/${name}/${role}`]),
  };
  return world;
}

export const helloOf = (node: string, protocol = 1): Hello => ({
  kind: 'hello',
  node,
  pair: 'web',
  protocol,
  agentVersion: '0.1.0',
  epoch: 1,
  startId: 0,
});

export const emptyResult: ActResult = {
  outcome: 'reached',
  changed: true,
  requestId: 'r1',
  node: 'haproxy01',
  tookMs: 5,
  nodes: [],
  error: null,
  addresses: [],
  servers: [],
  certificates: [],
};

export const emptyStatus: Status = {
  pair: 'web',
  node: 'haproxy01',
  paused: false,
  nodes: [],
  verdicts: [],
  intents: [],
  alerts: [],
  newest: null,
};

/** Says what came, and what a test wants answered. */
export type Heard =
  | { readonly kind: 'opened' | 'closed' | 'refused' | 'failed'; readonly text: string }
  | { readonly kind: 'turned-away' | 'summary' | 'kept-out'; readonly text: string }
  | { readonly kind: 'message'; readonly node: string; readonly message: GossipMessage }
  | { readonly kind: 'act'; readonly act: { readonly header: ActHeader } };

export interface TestServer extends RunningServer {
  readonly heard: ReturnType<typeof createRecord<Heard>>;
  /** 127.0.0.1:PORT */
  readonly address: string;
  readonly socketPath: string;
}

/** A server of haproxy01 on loopback and in the world's folder. */
export async function serveWorld(
  t: ExecutionContext,
  world: World,
  more: {
    readonly tls?: Tls;
    readonly listen?: readonly string[];
    readonly control?: Partial<ControlVerbs>;
    readonly member?: Partial<ServedMember>;
    readonly storeIntents?: FromPeers['storeIntents'];
    readonly socketName?: string;
    /** Of the socket; operator if not given. */
    readonly role?: Role;
    /** Of the connections' limits too. */
    readonly clock?: Clock;
    readonly shares?: Shares;
    readonly scarce?: () => boolean;
    readonly audit?: Audit;
  } = {},
): Promise<TestServer> {
  const heard = createRecord<Heard>();
  const act = (act: { readonly header: ActHeader }): Promise<ActResult> => {
    heard.add({ kind: 'act', act });
    return Promise.resolve(emptyResult);
  };
  const socketPath = join(world.folder, more.socketName ?? 'agent.sock');
  const server = await startServer({
    listen: more.listen ?? ['127.0.0.1:0'],
    socket: { path: socketPath, group: 'nogroup', role: more.role ?? 'operator' },
    tls: more.tls ?? (await world.tlsOf('haproxy01')),
    pair: 'web',
    node: 'haproxy01',
    peers: ['haproxy02'],
    clock: more.clock ?? testClock,
    ...(more.shares === undefined ? {} : { shares: more.shares }),
    ...(more.scarce === undefined ? {} : { scarce: more.scarce }),
    events: {
      refused: ({ source, cause, count }) =>
        heard.add({ kind: 'turned-away', text: `${count} from ${source}: ${cause}` }),
      summary: (text) => heard.add({ kind: 'summary', text }),
      keptOut: (cause) => heard.add({ kind: 'kept-out', text: cause ?? 'nobody' }),
    },
    notices: {
      refused: (_who, method, reason) =>
        heard.add({ kind: 'refused', text: `${method}: ${reason}` }),
      failed: (method, error) => heard.add({ kind: 'failed', text: `${method}: ${String(error)}` }),
    },
    audit: more.audit ?? NO_AUDIT,
    control: verbsOf({
      status: () => Promise.resolve(emptyStatus),
      move: act,
      setServers: act,
      setChallenge: act,
      pushCertificate: act,
      ...more.control,
    }),
    member: memberOf('haproxy01', more.member),
    fromPeers: {
      hello: () => helloOf('haproxy01'),
      receive: (node, message) => heard.add({ kind: 'message', node, message }),
      opened: (node) => heard.add({ kind: 'opened', text: node }),
      closed: (node, how) => heard.add({ kind: 'closed', text: `${node} ${how}` }),
      storeIntents: more.storeIntents ?? (() => Promise.reject(new Error('not expected'))),
    },
  });
  t.teardown(() => server.close(100));
  return { ...server, heard, address: server.addresses[0] ?? '', socketPath };
}

/** A client with an operator's (or anyone's) certificate, or none, or over a unix socket. */
export function clientOf(
  t: Teardown,
  target: string,
  ca: string | null,
  issued: Issued | null,
  maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3',
): Client {
  const context = createSecureContext({
    ...(ca === null ? {} : { ca }),
    ...(issued === null ? {} : { cert: issued.certPem, key: issued.keyPem }),
    maxVersion,
  });
  const credentials =
    ca === null
      ? ChannelCredentials.createInsecure()
      : ChannelCredentials.createFromSecureContext(context, {
          checkServerIdentity: () => undefined,
        });
  const client = new Client(target, credentials, {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.default_authority': 'test',
    'grpc.ssl_target_name_override': 'test',
  });
  t.teardown(() => client.close());
  return client;
}

/** Asks for the status; the reply's node, or the error. */
export const askStatus = (client: Client): Promise<string | ServiceError> =>
  new Promise((resolve) => {
    const { path, requestSerialize, responseDeserialize } = ControlService.status;
    const deadline = Date.now() + 5000;
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      {},
      { deadline },
      (error: ServiceError | null, value?: proxyctl.v1.StatusReply) =>
        resolve(error ?? value?.node ?? ''),
    );
  });

export type Ended = {
  readonly events: readonly proxyctl.v1.Event[];
  readonly error: ServiceError | null;
};

/** Collects a stream of events to its end. */
export const collect = (stream: NodeJS.EventEmitter): Promise<Ended> =>
  new Promise((resolve) => {
    const events: proxyctl.v1.Event[] = [];
    stream.on('data', (event: proxyctl.v1.Event) => events.push(event));
    stream.on('error', (error: ServiceError) => resolve({ events, error }));
    stream.on('end', () => resolve({ events, error: null }));
  });

/** Asks for a move and collects what comes. */
export function askMove(
  client: Client,
  request: proxyctl.v1.MoveRequest.$Properties,
): Promise<Ended> {
  const { path, requestSerialize, responseDeserialize } = ControlService.move;
  const stream = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    request,
  );
  return collect(stream);
}

/** Pushes a PEM in chunks and collects what comes. */
export function askPush(client: Client, pem: string): Promise<Ended> {
  const { path, requestSerialize, responseDeserialize } = ControlService.pushCertificates;
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const ended = collect(stream);
  stream.write({ request: { header: { requestId: 'r2' }, path: '' } });
  for (let at = 0; at < pem.length; at += 5)
    stream.write({ chunk: Buffer.from(pem.slice(at, at + 5)) });
  stream.end();
  return ended;
}
