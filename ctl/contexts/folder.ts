import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describeIdentity, pairIn, parseIdentity } from '../../agent/wire/identity.ts';
import { readConfigFile, type ContextToml } from '../connect/config-file.ts';
import { usage } from '../failure.ts';
import { modeOf, octal, readIfThere } from '../files.ts';
import { CERTIFICATE } from '../pki/register.ts';

/** What somebody made for an operator: where the agents are, and the files that let him in. */
export interface Handed {
  readonly pair: string;
  /** "admin anna" */
  readonly who: string;
  readonly notAfterMs: number;
  /** Null where the folder does not say. */
  readonly agents: NonNullable<ContextToml['agents']> | null;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** NAME of NAME.pem and NAME.key. */
  readonly base: string;
  /** Of the key as it came. */
  readonly keyMode: number;
}

const REMEDY =
  'give the folder that setup made (operators/NAME) or that of pki issue or approve --out';

/**
 * Reads the folder that `setup` or `pki` made for an operator, and checks that its files belong
 * together and are in force. Throws ActFailure 'usage' with what is wrong.
 */
export function readHanded(given: string, nowMs: number): Handed {
  const folder = folderOf(given);
  const named = join(folder, 'config.toml');
  const { files, agents } = existsSync(named)
    ? ofSetup(named)
    : { files: ofPki(folder), agents: null };
  const text = (path: string): string => {
    const found = readIfThere(path);
    if (found === null) throw usage(`there is no ${path}`, REMEDY);
    return found;
  };
  const [ca, certificate, key] = [text(files.ca), text(files.cert), text(files.key)];
  const leaf = certificateIn(files.cert, certificate);
  const issuers = caCertificates(files.ca, ca);
  const pair = pairIn(leaf.subjectAltName);
  if (pair === null)
    throw usage(`${files.cert} carries no proxyctl:// name`, REMEDY, 'it is no operator’s');
  const identity = parseIdentity(leaf.subjectAltName, pair);
  if (identity.kind === 'node')
    throw usage(`${files.cert} is of node ${identity.node}, not of an operator`, REMEDY);
  if (!issuers.some((one) => leaf.checkIssued(one) && leaf.verify(one.publicKey)))
    throw usage(`${files.cert} is not from the CA in ${files.ca}`, 'take both from one folder');
  const notAfterMs = Date.parse(leaf.validTo);
  if (notAfterMs <= nowMs)
    throw usage(
      `${files.cert} ended on ${new Date(notAfterMs).toISOString().slice(0, 10)}`,
      'where the CA is: proxyctl pki renew NAME --out FOLDER',
    );
  if (!belongs(leaf, key, files.key))
    throw usage(`${files.key} does not belong to ${files.cert}`, 'take both from one folder');
  const base = files.cert.replace(/^.*\//, '').replace(/\.pem$/, '');
  const keyMode = modeOf(files.key) ?? 0;
  const who = describeIdentity(identity);
  return { pair, who, notAfterMs, agents, ca, certificate, key, base, keyMode };
}

/** A file of the folder may be given too. */
function folderOf(given: string): string {
  const found = statSync(given, { throwIfNoEntry: false });
  if (found === undefined) throw usage(`there is no ${given}`, REMEDY);
  return found.isDirectory() ? resolve(given) : dirname(resolve(given));
}

interface Files {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

function ofSetup(path: string): { files: Files; agents: Handed['agents'] } {
  const all = Object.values(readConfigFile(path).contexts);
  const [only] = all;
  if (only === undefined || all.length > 1)
    throw usage(`${path} has ${all.length} contexts, not one`, REMEDY);
  const { agents = null, ca, cert, key } = only;
  if (ca === undefined || cert === undefined || key === undefined)
    throw usage(`${path} names no ca, cert and key`, REMEDY);
  const at = (file: string): string => resolve(dirname(path), file);
  return { files: { ca: at(ca), cert: at(cert), key: at(key) }, agents };
}

function ofPki(folder: string): Files {
  const names = readdirSync(folder).sort();
  const keys = names.filter((name) => name.endsWith('.key') && name !== 'ca.key');
  const [only] = keys;
  if (only === undefined || keys.length > 1)
    throw usage(
      only === undefined
        ? `${folder} holds no config.toml and no key`
        : `${folder} holds no config.toml and ${keys.length} keys`,
      REMEDY,
    );
  const at = (name: string): string => join(folder, name);
  return { ca: at('ca.pem'), cert: at(only.replace(/\.key$/, '.pem')), key: at(only) };
}

function certificateIn(path: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw Object.assign(usage(`${path} is no certificate`, REMEDY), { cause });
  }
}

/** Two while a CA is being replaced. Throws ActFailure 'usage' for what is no certificate. */
export const caCertificates = (path: string, text: string): X509Certificate[] =>
  (text.match(CERTIFICATE) ?? [text]).map((pem) => certificateIn(path, pem));

/** A key with a passphrase is not opened for this: the agents' answers will tell. */
function belongs(leaf: X509Certificate, key: string, path: string): boolean {
  if (/BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(key)) return true;
  try {
    return leaf.checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw Object.assign(usage(`${path} is no private key`, REMEDY), { cause });
  }
}

/** What is said of a key that others could read on its way; null where nobody could. */
export const keyWarning = ({ keyMode, base }: Handed): string | null =>
  (keyMode & 0o077) === 0
    ? null
    : `the mode of ${base}.key was ${octal(keyMode)}: whoever read it where it lay can use it; the copy is 0600`;
