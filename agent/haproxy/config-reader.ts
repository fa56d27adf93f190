import { readFile, stat } from 'node:fs/promises';
import { scanConfig, type ConfigScan } from './config-scan.ts';

/**
 * What may be read from the haproxy.conf at `path`, read again once the file is another one: a
 * swap of many certificates asks for it many times. Rejects with the system's error.
 */
export function configReader(path: string): () => Promise<ConfigScan> {
  let last = { stamp: '', scan: scanConfig('') };
  return async () => {
    const { ino, size, mtimeMs, ctimeMs } = await stat(path);
    const stamp = [ino, size, mtimeMs, ctimeMs].join(' ');
    if (stamp !== last.stamp)
      last = { stamp, scan: scanConfig(await readFile(path, 'utf8'), path) };
    return last.scan;
  };
}
