import {
  OCTET_STRING,
  OBJECT_IDENTIFIER,
  SEQUENCE,
  CONTEXT_0,
  elements,
  inside,
  oid,
} from '../der.ts';
import {
  DeploymentError,
  FORMAT,
  MOST_BYTES,
  MOST_FILES,
  MOST_MESSAGE_BYTES,
} from './deployment.ts';
import { encodeDeployment, type DeployedFile, type Deployment } from './deployment.ts';

/** In this order, then the files. */
const WORDS = ['purpose', 'pair', 'nodes', 'made', 'until', 'number', 'form', 'reason'] as const;
/** Longer than any header. */
const LONGEST_HEADER = 1024 + MOST_FILES * 256;

const SIGNED_DATA = oid('1.2.840.113549.1.7.2');
const DATA = oid('1.2.840.113549.1.7.1');

/** A deployment from what encodeDeployment() made; throws DeploymentError for anything else. */
export function readDeployment(bytes: Uint8Array): Deployment {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = all.subarray(0, LONGEST_HEADER).indexOf('\n\n');
  const [format = '', ...lines] = all.subarray(0, Math.max(end, 0)).toString('utf8').split('\n');
  if (format !== FORMAT)
    throw new DeploymentError(
      format.startsWith('proxyctl-deployment ')
        ? `it has the format ${JSON.stringify(format.slice(0, 40))}, this program reads ${FORMAT}`
        : 'it is no deployment',
    );
  const values = WORDS.map((word, at) => {
    const line = lines[at] ?? '';
    if (!line.startsWith(`${word} `)) throw new DeploymentError(`its header has no ${word}`);
    return line.slice(word.length + 1);
  });
  const [purpose = '', pair = '', nodes = '', made, until, number, form = '', reason = ''] = values;
  const deployment: Deployment = {
    purpose: purpose as Deployment['purpose'],
    pair,
    nodes: nodes.split(' '),
    madeS: Number(made),
    untilS: Number(until),
    number: Number(number),
    form: form as Deployment['form'],
    reason,
    files: filesIn(lines.slice(WORDS.length), all.subarray(end + 2)),
  };
  if (!['check', 'push'].includes(purpose) || !['file', 'directory'].includes(form))
    throw new DeploymentError('its header has a word that is not known here');
  // One form alone is valid: what reads differently elsewhere is no deployment.
  if (!encodeDeployment(deployment).equals(all))
    throw new DeploymentError('its header is not written as it has to be');
  return deployment;
}

function filesIn(lines: readonly string[], bytes: Buffer): DeployedFile[] {
  let at = 0;
  const files = lines.slice(0, MOST_FILES + 1).map((line) => {
    const [word, path = '', length = '', ...more] = line.split(' ');
    if (word !== 'file' || !/^(?:0|[1-9]\d{0,6})$/.test(length) || more.length > 0)
      throw new DeploymentError('its header has a line that is not known here');
    const content = bytes.subarray(at, (at += Number(length)));
    return { path, content };
  });
  if (at !== bytes.length || at > MOST_BYTES)
    throw new DeploymentError(`its files have ${bytes.length} bytes, its header says ${at}`);
  return files;
}

/**
 * What a signed message says (CMS SignedData in DER, RFC 5652), before anybody has looked at the
 * signature: to show it, never to act by it. Throws DeploymentError.
 */
export function unverified(message: Uint8Array): Deployment {
  if (message.length > MOST_MESSAGE_BYTES)
    throw new DeploymentError(
      `it has ${message.length} bytes; at most ${MOST_MESSAGE_BYTES} are taken`,
    );
  return readDeployment(contentOf(message));
}

function contentOf(message: Uint8Array): Buffer {
  try {
    const all = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    const [type, content] = elements(inside(all, SEQUENCE));
    if (type?.whole.equals(SIGNED_DATA) !== true || content?.tag !== CONTEXT_0)
      throw new RangeError('no SignedData');
    const [, , said] = elements(inside(content.content, SEQUENCE));
    const [kind, octets] = said?.tag === SEQUENCE ? elements(said.content) : [];
    if (kind?.tag !== OBJECT_IDENTIFIER || !kind.whole.equals(DATA) || octets?.tag !== CONTEXT_0)
      throw new RangeError('no data in it');
    return inside(octets.content, OCTET_STRING);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DeploymentError('it is no signed deployment', { cause: error });
  }
}
