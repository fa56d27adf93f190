import { spawn, spawnSync } from 'node:child_process';
import { finished } from './command.ts';

/** Whether python3 is here with its pty module, which is what makes the terminal. */
export const terminalMissing = (): boolean =>
  spawnSync('python3', ['-c', 'import pty'], { stdio: 'ignore' }).status !== 0;

/**
 * A pseudo-terminal of 80 columns, or as many as are asked for: waits for each prompt, types the answer, and
 * gives everything that was on the screen with the exit code. ^C and ^D as such.
 */
const PTY = `
import fcntl, json, os, pty, select, struct, sys, termios
spec = json.load(sys.stdin)
pid, fd = pty.fork()
if pid == 0:
    os.chdir(spec['cwd'])
    os.execve(spec['argv'][0], spec['argv'], spec['env'])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, spec['columns'], 0, 0))
screen, seen, answers = '', 0, list(spec['answers'])
while True:
    if not select.select([fd], [], [], 20)[0]:
        os.kill(pid, 9)
        screen += '\\n[silent for 20 s]'
        break
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    screen += data.decode()
    while answers and answers[0][0] in screen[seen:]:
        prompt, answer = answers.pop(0)
        seen = screen.index(prompt, seen) + len(prompt)
        os.write(fd, answer.encode())
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps({'code': code, 'screen': screen, 'left': [p for p, _ in answers]}))
`;

export interface OnTerminal {
  readonly code: number;
  /** Lines end with a line feed alone. */
  readonly screen: string;
  /** Prompts that never came. */
  readonly left: readonly string[];
}

/** Runs `argv` on a terminal; each answer is what is typed once its prompt stands there. */
export async function onTerminal(
  argv: readonly string[],
  cwd: string,
  answers: readonly (readonly [string, string])[],
  env: Readonly<Record<string, string>> = {},
  columns = 80,
): Promise<OnTerminal> {
  const spec = {
    argv,
    cwd,
    answers,
    columns,
    env: { TZ: 'UTC', TERM: 'xterm', HOME: cwd, PATH: process.env['PATH'] ?? '', ...env },
  };
  const child = spawn('python3', ['-c', PTY], { stdio: ['pipe', 'pipe', 'pipe'] });
  const { code, stdout, stderr } = await finished(child, JSON.stringify(spec));
  if (code !== 0) throw new Error(`no terminal: ${stderr}`);
  const ended = JSON.parse(stdout) as OnTerminal;
  return { ...ended, screen: ended.screen.replaceAll('\r\n', '\n') };
}
