import { COLUMNS } from './table.ts';

/** Broken at spaces so that no line is over 80 columns; what follows is indented by `indent`. */
export function wrapped(line: string, indent = 10): string {
  const lines: string[] = [];
  let current: string | null = null;
  const room = COLUMNS - indent;
  const words = line.split(' ').flatMap((word) => pieces(word, room));
  for (const word of words) {
    const longer: string = current === null ? word : `${current} ${word}`;
    if (longer.length > COLUMNS && current !== null && current.trim() !== '') {
      lines.push(current);
      current = `${' '.repeat(indent)}${word}`;
    } else current = longer;
  }
  return [...lines, current ?? ''].join('\n');
}

function pieces(word: string, room: number): string[] {
  if (word.length <= room) return [word];
  return [word.slice(0, room), ...pieces(word.slice(room), room)];
}
