// Generates proto/gen from proto/proxyctl/v1: static codecs by pbjs, and from the
// same files the service definitions grpc-js needs, which pbjs does not make.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRequire } from 'node:module';
import protobuf from 'protobufjs';

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, 'gen');
const files = ['types', 'peer', 'control'].map((name) => `proxyctl/v1/${name}.proto`);
files.push('grpc/health/v1/health.proto');

mkdirSync(out, { recursive: true });
const pbjs = createRequire(import.meta.url).resolve('protobufjs-cli/bin/pbjs');
execFileSync(
  process.execPath,
  [pbjs, '-p', here, '-t', 'static-module', '-w', 'esm', '--dts', '--no-verify']
    .concat(['--no-delimited', '--no-typeurl', '--no-service', '--null-semantics', '--no-convert'])
    .concat(['-o', join(out, 'messages.js'), ...files]),
  { stdio: ['ignore', 'inherit', 'inherit'] },
);

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => join(here, target);
root.loadSync(files).resolveAll();

const type = (name) => name.replace(/^\./, '');
const lines = [
  '// Generated from proto/**/*.proto by proto/generate.mjs.',
  "import type { ServiceDefinition } from '@grpc/grpc-js';",
  "import { grpc, proxyctl } from './messages.js';",
  '',
  'interface Codec<T, P> {',
  '  encode(message: P): { finish(): Uint8Array };',
  '  decode(bytes: Uint8Array): T;',
  '}',
  '/** The two halves of one message type as grpc-js wants them. */',
  'const codec = <T, P>(type: Codec<T, P>) => ({',
  '  serialize: (value: P): Buffer => Buffer.from(type.encode(value).finish()),',
  '  deserialize: (bytes: Buffer): T => type.decode(bytes),',
  '});',
  '',
];
for (const service of services(root)) {
  const path = service.fullName.replace(/^\./, '');
  lines.push(`/** ${path} */`, `export const ${service.name}Service = {`);
  for (const method of service.methodsArray) {
    const request = type(method.resolvedRequestType.fullName);
    const response = type(method.resolvedResponseType.fullName);
    lines.push(
      `  ${method.name[0].toLowerCase()}${method.name.slice(1)}: {`,
      `    path: '/${path}/${method.name}',`,
      `    requestStream: ${method.requestStream === true},`,
      `    responseStream: ${method.responseStream === true},`,
      `    requestSerialize: codec<${request}, ${request}.$Properties>(${request}).serialize,`,
      `    requestDeserialize: codec<${request}, ${request}.$Properties>(${request}).deserialize,`,
      `    responseSerialize: codec<${response}, ${response}.$Properties>(${response}).serialize,`,
      `    responseDeserialize: codec<${response}, ${response}.$Properties>(${response}).deserialize,`,
      '  },',
    );
  }
  lines.push('} as const satisfies ServiceDefinition;', '');
}
writeFileSync(join(out, 'services.ts'), lines.join('\n'));

function services(namespace) {
  return namespace.nestedArray.flatMap((item) =>
    item instanceof protobuf.Service
      ? [item]
      : item instanceof protobuf.Namespace
        ? services(item)
        : [],
  );
}
