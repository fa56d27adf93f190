/** One file of a configuration. */
export interface DeployedFile {
  /** Below the directory of the configuration; of a single file its name, which is for people. */
  readonly path: string;
  readonly content: Uint8Array;
}

/** A configuration of HAProxy with all that an operator signs: what for, where to, and until when. */
export interface Deployment {
  /** What is for a check is installed nowhere. */
  readonly purpose: 'check' | 'push';
  readonly pair: string;
  /** The nodes that may take it. */
  readonly nodes: readonly string[];
  /** Unix seconds, by the clock of who signs. */
  readonly madeS: number;
  /** Unix seconds: no node takes it later than this. */
  readonly untilS: number;
  /** Greater than that of every deployment which the nodes took before. */
  readonly number: number;
  /** Whether `haproxy.config` of agent.toml is one file or a directory. */
  readonly form: 'file' | 'directory';
  /** For people, on one line; may be empty. */
  readonly reason: string;
  readonly files: readonly DeployedFile[];
}

/** A deployment that cannot be, and why. */
export class DeploymentError extends Error {
  override readonly name = 'DeploymentError';
}

/** What deploy.sh holds to as well. */
export const MOST_FILES = 200;
/** Of all files together. */
export const MOST_BYTES = 4_000_000;
/** Of a signed one: header, certificate and signature beside the files. */
export const MOST_MESSAGE_BYTES = 4_100_000;
const LONGEST_PATH = 200;
const LONGEST_REASON = 200;
const MOST_NODES = 8;
/** The longest time from `madeS` to `untilS`: what somebody withheld is worthless after it. */
export const LONGEST_S = 86_400;
const LAST_NUMBER = 999_999_999_999_999;
const LAST_S = 9_999_999_999;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
/** No part begins with a dot: HAProxy reads no such file, and nothing leads upwards. */
const PATH = /^[A-Za-z0-9_+@=,-][A-Za-z0-9._+@=,-]*(?:\/[A-Za-z0-9_+@=,-][A-Za-z0-9._+@=,-]*)*$/;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

/** What no node would take of it, as a sentence; null: nothing. */
export function problemOf(deployment: Deployment): string | null {
  const { pair, nodes, madeS, untilS, number, reason } = deployment;
  if (!NAME.test(pair)) return `${JSON.stringify(pair)} is no name of a pair`;
  if (nodes.length === 0 || nodes.length > MOST_NODES)
    return `it names ${nodes.length} nodes; it is for 1 to ${MOST_NODES}`;
  const bad = nodes.find((node) => !NAME.test(node));
  if (bad !== undefined) return `${JSON.stringify(bad)} is no name of a node`;
  if (new Set(nodes).size !== nodes.length) return 'it names a node twice';
  if (!within(madeS, LAST_S) || !within(untilS, LAST_S)) return 'its times are no Unix seconds';
  if (untilS <= madeS || untilS - madeS > LONGEST_S)
    return `it ends ${untilS - madeS} s after it was made; that is 1 to ${LONGEST_S} s`;
  if (!within(number, LAST_NUMBER)) return `${number} is no number of a deployment`;
  if (reason.length > LONGEST_REASON || CONTROL.test(reason))
    return `its reason is one line of at most ${LONGEST_REASON} characters`;
  return problemOfFiles(deployment);
}

function problemOfFiles({ form, files }: Deployment): string | null {
  if (files.length === 0) return 'it has no file';
  if (files.length > MOST_FILES)
    return `it has ${files.length} files; at most ${MOST_FILES} are taken`;
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0);
  if (bytes > MOST_BYTES) return `its files have ${bytes} bytes; at most ${MOST_BYTES} are taken`;
  const names = files.map(({ path }) => path);
  for (const path of names) {
    const shown = JSON.stringify(path.slice(0, LONGEST_PATH));
    if (path.length > LONGEST_PATH) return `${shown} is longer than ${LONGEST_PATH} characters`;
    if (!PATH.test(path))
      return `${shown}: a path has letters, digits, . _ + @ = , - and no part begins with a dot`;
    const parents = path.split('/').map((_, at, parts) => parts.slice(0, at).join('/'));
    const clash = parents.find((parent) => names.includes(parent));
    if (clash !== undefined) return `${clash} is a file and a directory`;
  }
  if (new Set(names).size !== names.length) return 'it has a file twice';
  if (form === 'directory') return null;
  if (files.length > 1 || names[0]?.includes('/') === true)
    return 'as one file it has one, without a directory';
  return bytes === 0 ? `${names[0] ?? ''} is empty` : null;
}

const within = (value: number, last: number): boolean =>
  Number.isSafeInteger(value) && value >= 1 && value <= last;

/**
 * What is signed: lines that sh(1) can read, an empty one, then the bytes of the files one behind
 * the other. Equal deployments are equal bytes. Throws DeploymentError.
 */
export function encodeDeployment(deployment: Deployment): Buffer {
  const problem = problemOf(deployment);
  if (problem !== null) throw new DeploymentError(problem);
  const { purpose, pair, nodes, madeS, untilS, number, form, reason, files } = deployment;
  const lines = [
    FORMAT,
    `purpose ${purpose}`,
    `pair ${pair}`,
    `nodes ${nodes.join(' ')}`,
    `made ${madeS}`,
    `until ${untilS}`,
    `number ${number}`,
    `form ${form}`,
    `reason ${reason}`,
    ...files.map(({ path, content }) => `file ${path} ${content.length}`),
  ];
  const header = `${lines.map((line) => `${line}\n`).join('')}\n`;
  return Buffer.concat([Buffer.from(header), ...files.map(({ content }) => content)]);
}

/** The first line; the number grows when an older helper could not read what follows. */
export const FORMAT = 'proxyctl-deployment 1';
