import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** ngctl -f FILE in sh: notes each command in `sent` beside itself, a frame as hexadecimal digits. */
export const NGCTL = `[ "$1" = -f ] || exit 64
while read -r what x flag file; do
  case $what in
  write) echo "$what $x $(od -An -v -tx1 "$file" | tr -d ' \\n')" ;;
  *) echo "$what $x $flag $file" ;;
  esac
done < "$2" >> "$(dirname "$0")/sent"`;

/** What such an ngctl was told, a command a line. */
export function toldNgctl(folder: string): string[] {
  const path = join(folder, 'sent');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [line.trim()]));
}
