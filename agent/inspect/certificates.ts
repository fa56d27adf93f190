import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { blocksOf, isKey } from '../certs/blocks.ts';
import { namesOf, readCertificate, rfc3339 } from '../certs/certificate.ts';
import { parseBundle } from '../certs/pem.ts';
import { PemError } from '../certs/pem-error.ts';
import { tooLargeFor } from '../certs/size.ts';
import type { CertificateFacts } from '../core/doctor/inspection.ts';
import { sentence } from '../core/words.ts';
import { isSystemError } from '../sys/files.ts';

/** The certificate files behind `crt` arguments: files, and what HAProxy loads of a directory. */
export async function inspectCertificates(
  paths: readonly string[],
  version: string,
  wallMs: number,
): Promise<CertificateFacts[]> {
  const files = await Promise.all([...new Set(paths)].map(filesOf));
  return Promise.all(files.flat().map((path) => inspectFile(path, version, wallMs)));
}

/** HAProxy leaves out names that begin with a dot, and loads keys and the like with their leaf. */
async function filesOf(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).sort();
    return names
      .filter((name) => !name.startsWith('.') && !/\.(key|issuer|ocsp|sctl)$/.test(name))
      .map((name) => join(path, name));
  } catch {
    // inspectFile() says what is wrong with it.
    return [path];
  }
}

async function inspectFile(
  path: string,
  version: string,
  wallMs: number,
): Promise<CertificateFacts> {
  const nothing = { names: [], notAfter: '', endsInMs: null, warnings: [], tooLarge: null };
  try {
    const own = await readFile(path, 'utf8');
    const keyFile = await keyFileOf(path, own);
    const mode = (await stat(keyFile)).mode & 0o777;
    const text = keyFile === path ? own : `${own}\n${await readFile(keyFile, 'utf8')}`;
    return { path, keyFile, mode, ...read(text, path, version, wallMs) };
  } catch (error) {
    const missing = isSystemError(error, 'ENOENT');
    const why = missing ? 'no such file' : sentence(error);
    const problem = {
      code: missing ? 'missing' : 'not_read',
      why,
      remedy: `ls -l ${path}`,
    };
    return { path, keyFile: path, mode: 0, ...nothing, problem };
  }
}

/** FILE.key where the file itself holds no key (HAProxy's ssl-load-extra-files). */
async function keyFileOf(path: string, text: string): Promise<string> {
  if (hasKey(text)) return path;
  try {
    await stat(`${path}.key`);
    return `${path}.key`;
  } catch {
    return path;
  }
}

const hasKey = (text: string): boolean => /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);

type Content = Omit<CertificateFacts, 'path' | 'keyFile' | 'mode'>;

function read(text: string, path: string, version: string, wallMs: number): Content {
  try {
    const { names, notAfter, warnings, pem } = parseBundle(text, wallMs);
    return {
      names: [...names],
      notAfter,
      endsInMs: Date.parse(notAfter) - wallMs,
      problem: null,
      warnings: [...warnings],
      tooLarge: version === '' ? null : tooLargeFor(version, path, pem),
    };
  } catch (error) {
    if (!(error instanceof PemError)) throw error;
    const problem = { code: error.code, why: error.why, remedy: error.remedy };
    return { ...leafOf(text, wallMs), problem, warnings: [], tooLarge: null };
  }
}

/** What can be said of the first certificate when the bundle as a whole is not right. */
function leafOf(text: string, wallMs: number): Pick<Content, 'names' | 'notAfter' | 'endsInMs'> {
  try {
    const block = blocksOf(text).find((one) => !isKey(one) && one.label === 'CERTIFICATE');
    const leaf = readCertificate(block?.text ?? '', 1);
    const { notAfterMs } = leaf;
    return {
      names: [...namesOf(leaf)],
      notAfter: rfc3339(notAfterMs),
      endsInMs: notAfterMs - wallMs,
    };
  } catch {
    return { names: [], notAfter: '', endsInMs: null };
  }
}
