import { readFile } from 'node:fs/promises';
import { sectionReader, type ConfigSection } from '../core/haproxy-config/sections.ts';
import { othersTurn } from '../sys/turn.ts';

/** So many lines at once: 10,000 together are 50 ms in which no heartbeat leaves. */
const PIECE = 500;

/** The sections of the file at `path`; rejects where it cannot be read. Others have their turn meanwhile. */
export async function readSections(path: string): Promise<readonly ConfigSection[]> {
  const { sections, take } = sectionReader(path);
  const lines = (await readFile(path, 'utf8')).split('\n');
  for (let at = 0; at < lines.length; at += PIECE) {
    for (const line of lines.slice(at, at + PIECE)) take(line);
    await othersTurn();
  }
  return sections;
}
