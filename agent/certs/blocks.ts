import { PemError } from './pem-error.ts';

/** One encapsulated piece of a PEM text (RFC 7468). */
export interface Block {
  /** What stands after BEGIN, e.g. "EC PRIVATE KEY". */
  readonly label: string;
  /** With both boundary lines, base64 in lines of 64, a newline at the end. */
  readonly text: string;
  /** Old style encryption of keys (RFC 1421 headers). */
  readonly encrypted: boolean;
}

/**
 * The same text without CR, blank lines and white space around lines, and with one newline at
 * the end (none when nothing is left). A blank line ends a payload of HAProxy's runtime API, and
 * HAProxy 2.6 would run the rest, the private key, as commands.
 */
export function normalise(text: string): string {
  // OpenSSL, too, takes off what is no ASCII at the end of a line (sanitize_line()).
  const lines = text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim().replace(/[^\u0021-\u007e]+$/, ''));
  return lines
    .filter((line) => line !== '')
    .map((line) => `${line}\n`)
    .join('');
}

/**
 * The blocks of a PEM text in their order; text between them is left out.
 * Throws PemError `not_pem` when a block is cut off or holds something else than base64.
 */
export function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { label: string; body: string; encrypted: boolean } | null = null;
  for (const line of normalise(text).split('\n')) {
    const [, edge, label = ''] = /^-----(BEGIN|END) ([A-Z0-9 ]{1,40})-----$/.exec(line) ?? [];
    if (edge === 'BEGIN') {
      if (open !== null) throw cutOff(blocks.length + 1, open.label);
      open = { label, body: '', encrypted: false };
    } else if (edge === 'END') {
      if (open === null || open.label !== label) throw cutOff(blocks.length + 1, label);
      blocks.push({ label, text: wrapped(label, open.body), encrypted: open.encrypted });
      open = null;
    } else if (open !== null) {
      if (/^[A-Za-z][A-Za-z-]*: /.test(line)) open.encrypted ||= line.includes('ENCRYPTED');
      else if (/^[A-Za-z0-9+/= \t]+$/.test(line)) open.body += line.replaceAll(/[ \t]/g, '');
      // An edge that lost its end, as half a copy has it.
      else if (line.startsWith('-----')) throw cutOff(blocks.length + 1, open.label);
      else if (line !== '') throw notBase64(blocks.length + 1, open.label);
    }
  }
  if (open !== null) throw cutOff(blocks.length + 1, open.label);
  return blocks;
}

const wrapped = (label: string, body: string): string =>
  [
    `-----BEGIN ${label}-----`,
    ...(body.match(/.{1,64}/g) ?? []),
    `-----END ${label}-----`,
    '',
  ].join('\n');

const cutOff = (position: number, label: string): PemError =>
  new PemError(
    'not_pem',
    'read bundle: not whole',
    `block ${position} (${label}) has no matching BEGIN and END lines`,
    'copy the file again, whole',
  );

const notBase64 = (position: number, label: string): PemError =>
  new PemError(
    'not_pem',
    'read bundle: not PEM',
    `block ${position} (${label}) holds a line that is not base64`,
    'write the bundle again from the files it was made of',
  );

/**
 * What is kept of a bundle: its certificates in their order, then parameters, then the key, so that
 * it is the same text whether it lies in one file or has its key in another. EC PARAMETERS, which
 * `openssl ecparam` writes before a key, repeat what the key says.
 */
export function bundleText(blocks: readonly Block[]): string {
  const { certificates, key } = splitText(blocks);
  return certificates + key;
}

/** The same in two parts, for a host where the key has a file of its own. */
export function splitText(blocks: readonly Block[]): {
  readonly certificates: string;
  readonly key: string;
} {
  const kept = blocks.filter(({ label }) => label !== 'EC PARAMETERS');
  const texts = (some: readonly Block[]): string => some.map(({ text }) => text).join('');
  const parameters = (block: Block): boolean => block.label.endsWith(' PARAMETERS');
  const certificates = kept.filter((block) => !isKey(block));
  return {
    certificates:
      texts(certificates.filter((block) => !parameters(block))) +
      texts(certificates.filter(parameters)),
    key: texts(kept.filter(isKey)),
  };
}

/** Whether a block is a private key of any form. */
export const isKey = ({ label }: Block): boolean => label.endsWith('PRIVATE KEY');
