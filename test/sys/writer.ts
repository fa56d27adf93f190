import { replaceFile } from '../../agent/sys/files.ts';

// Replaces a file for ever, each time by 100,000 times one letter, and prints a byte after each: to be killed.
const [path = ''] = process.argv.slice(2);
for (let round = 0; ; round++) {
  const letter = String.fromCharCode(97 + (round % 26));
  await replaceFile(path, letter.repeat(100_000), 0o600, `${path}.1`);
  process.stdout.write('.');
}
