import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import test from 'ava';
import { fixture } from '../fixture.ts';

const FILES = ['types', 'peer', 'control'].map((name) => `proxyctl/v1/${name}.proto`);

/** Everything of proto/ that two agents of different age must agree on, one line each, sorted. */
function wireOf(proto: string): string[] {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => `${proto}/${target}`;
  root.loadSync(FILES, { keepCase: true }).resolveAll();
  return linesOf(root).sort();
}

function linesOf(item: protobuf.ReflectionObject): string[] {
  const name = item.fullName.replace(/^\./, '');
  if (item instanceof protobuf.Type)
    return item.fieldsArray
      .map((field) => `${name}.${field.name} = ${field.id} ${kindOf(field)}`)
      .concat(item.nestedArray.flatMap(linesOf));
  if (item instanceof protobuf.Enum)
    return Object.entries(item.values).map(([word, value]) => `${name}.${word} = ${value}`);
  if (item instanceof protobuf.Service)
    return item.methodsArray.map((method) => `${name}/${method.name} ${signature(method)}`);
  return item instanceof protobuf.Namespace ? item.nestedArray.flatMap(linesOf) : [];
}

function kindOf(field: protobuf.Field): string {
  const type = field.resolvedType?.fullName.replace(/^\./, '') ?? field.type;
  if (field instanceof protobuf.MapField) return `map ${field.keyType} ${type}`;
  return field.repeated ? `repeated ${type}` : type;
}

const signature = ({ requestStream, requestType, responseStream, responseType }: protobuf.Method) =>
  [requestStream ? 'stream ' : '', requestType, ' -> ', responseStream ? 'stream ' : '']
    .concat(responseType)
    .join('');

const proto = fileURLToPath(new URL('../../../proto', import.meta.url));
const agreed = fixture('wire-numbers.txt').trim().split('\n');

test('no field number, enum value, type or call that agents in the field know has changed or gone', (t) => {
  const now = new Set(wireOf(proto));
  // A field that nobody uses any more stays where it is.
  t.deepEqual(
    agreed.filter((line) => !now.has(line)),
    [],
  );
});

test('what is new on the wire stands in the list, so that the next change cannot take its number', (t) => {
  const known = new Set(agreed);
  // Add these lines to test/fixtures/wire-numbers.txt, in order.
  t.deepEqual(
    wireOf(proto).filter((line) => !known.has(line)),
    [],
  );
});

test('no number is used twice within a message or an enum', (t) => {
  const numbers = wireOf(proto).flatMap((line) => {
    const [, owner, number] = /^(.+)\.\w+ = (\d+)/.exec(line) ?? [];
    return owner === undefined ? [] : [`${owner} ${number}`];
  });
  t.deepEqual(
    numbers.filter((one, place) => numbers.indexOf(one) !== place),
    [],
  );
});
