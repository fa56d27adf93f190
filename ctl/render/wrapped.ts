/** At most 80 columns; what follows is indented under the text. */
export function wrapped(line: string): string {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (longer.length > 80 && current.trim() !== '') {
      lines.push(current);
      current = `${' '.repeat(10)}${word}`;
    } else current = longer;
  }
  return [...lines, current].join('\n');
}
