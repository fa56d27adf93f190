import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}
interface Script {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/** By file below the shadow: every range of one process, the outer before the inner. */
export type Reach = ReadonlyMap<string, readonly (readonly Range[])[]>;

/** A folder for what V8 counts, and what it has counted in the shadow's agent/ since. */
export function counting(shadow: string): { readonly folder: string; readonly end: () => Reach } {
  const folder = mkdtempSync(join(tmpdir(), 'mutate-reach-'));
  const end = (): Reach => {
    const reach = new Map<string, Range[][]>();
    for (const name of readdirSync(folder)) {
      const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
        result: Script[];
      };
      for (const { url, functions } of result) {
        if (!url.startsWith(`file://${shadow}/dist/agent/`)) continue;
        const file = relative(shadow, fileURLToPath(url));
        reach.set(file, [...(reach.get(file) ?? []), functions.flatMap(({ ranges }) => ranges)]);
      }
    }
    rmSync(folder, { recursive: true, force: true });
    return reach;
  };
  return { folder, end };
}

/** Whether a process came by this place: the innermost range around it tells. */
export function comesBy(reach: Reach, file: string, offset: number): boolean {
  return (reach.get(file) ?? []).some((ranges) => {
    let inner: Range | null = null;
    for (const range of ranges) {
      if (offset < range.startOffset || offset >= range.endOffset) continue;
      if (inner === null || sizeOf(range) <= sizeOf(inner)) inner = range;
    }
    return inner !== null && inner.count > 0;
  });
}

const sizeOf = ({ startOffset, endOffset }: Range): number => endOffset - startOffset;

const IMPORT = /\b(?:from|import)\s*\(?\s*(?:new URL\()?['"](\.[^'"]+\.js)['"]/g;

/** Every module below `root` that a module imports, itself too, with the number of imports between. */
export function importedBy(root: string, file: string): ReadonlyMap<string, number> {
  const known = new Map([[file, 0]]);
  for (const [module, distance] of known)
    for (const imported of importsOf(root, module))
      if (!known.has(imported)) known.set(imported, distance + 1);
  return known;
}

function importsOf(root: string, file: string): string[] {
  if (!existsSync(join(root, file))) return [];
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(IMPORT)].map(([, name = '']) => join(dirname(file), name));
}
