import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The licence text of every npm package in the programs, under its name and version. Throws for one without. */
export function licencesOf(root: string, folders: readonly string[]): string {
  const parts = folders.map((folder) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(root, folder, 'package.json'), 'utf8'),
    ) as { readonly name: string; readonly version: string; readonly license?: string };
    const file = readdirSync(join(root, folder))
      .sort()
      .find((one) => /^(licen[cs]e|copying)(\.|$)/i.test(one));
    if (file === undefined || license === undefined)
      throw new Error(`${folder}: no licence found; it cannot be part of a package`);
    const text = readFileSync(join(root, folder, file), 'utf8')
      .replaceAll('\r\n', '\n')
      .trim();
    return `${name} ${version} (${license})\n${'-'.repeat(72)}\n${text}\n`;
  });
  return `proxyctl and proxyagent contain these packages.\n\n${parts.join('\n\n')}`;
}
