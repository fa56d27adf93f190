import { join } from 'node:path';
import protobuf from 'protobufjs';
import { ControlService, HealthService, PeerService } from '../../proto/gen/services.ts';
import type { Random } from '../sim/random.ts';

/** A method of an agent, and requests as a client could send them. */
export interface Method {
  readonly path: string;
  request(r: Random): Buffer;
}

const PROTO = join(import.meta.dirname, '../../../proto');
/** How deep messages in messages go. */
const DEEPEST = 4;

/** Every method of every service that an agent has, with requests after its .proto files. */
export function methods(): Method[] {
  const root = new protobuf.Root();
  root.resolvePath = (_from, name) => join(PROTO, name);
  root.loadSync([
    'proxyctl/v1/control.proto',
    'proxyctl/v1/peer.proto',
    'grpc/health/v1/health.proto',
  ]);
  return [ControlService, PeerService, HealthService].flatMap((service) =>
    Object.values(service).map(({ path }) => {
      const [, name = '', method = ''] = path.split('/');
      const { requestType } = root.lookupService(name).methods[method] ?? { requestType: '' };
      const type = root.lookupService(name).lookupType(requestType);
      return {
        path,
        request: (r: Random) => Buffer.from(type.encode(messageOf(type, r, 0)).finish()),
      };
    }),
  );
}

function messageOf(type: protobuf.Type, r: Random, depth: number): protobuf.Message {
  const value: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    if (r.chance(0.3)) continue;
    const one = (): unknown => valueOf(field.resolve(), r, depth);
    if (field instanceof protobuf.MapField) value[field.name] = { key: one() };
    else if (field.repeated) value[field.name] = Array.from({ length: r.between(0, 4) }, one);
    else value[field.name] = one();
  }
  return type.create(value);
}

const WORDS = [
  '',
  'web',
  'haproxy01',
  'haproxy02',
  'WEB/web1',
  '1@wan',
  'show info',
  'r\u00e9',
  'a b',
];

function valueOf(field: protobuf.Field, r: Random, depth: number): unknown {
  const { resolvedType, type } = field;
  if (resolvedType instanceof protobuf.Enum) return r.pick(Object.values(resolvedType.values));
  if (resolvedType instanceof protobuf.Type)
    return depth > DEEPEST ? null : messageOf(resolvedType, r, depth + 1);
  if (type === 'string') return r.chance(0.05) ? 'x'.repeat(r.between(0, 3000)) : r.pick(WORDS);
  if (type === 'bytes') return Buffer.alloc(r.between(0, 64), 7);
  if (type === 'bool') return r.chance(0.5);
  if (type === 'double' || type === 'float') return r.pick([0, 1.5, -1, Number.NaN, Infinity]);
  return r.pick([0, 1, 2, 60_000, 2 ** 31 - 1, -1].filter((n) => !type.startsWith('u') || n >= 0));
}
