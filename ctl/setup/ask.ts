import { createInterface, type Interface } from 'node:readline/promises';

/**
 * Questions on the terminal. Ctrl-C while one is asked says `left` and ends as an interrupted
 * command does: 130. Close it when all are answered.
 */
export function asking(left: string): Interface {
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  questions.once('SIGINT', () => {
    questions.close();
    process.stderr.write(`\nproxyctl: interrupted: ${left}\n`);
    // Its handler ends the process (interrupt.ts); a signal would come after an end without questions.
    process.emit('SIGINT');
  });
  return questions;
}
