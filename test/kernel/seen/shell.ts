import { Buffer } from 'node:buffer';
import { runTimers } from '../acts.ts';
import type { Host } from '../host.ts';
import { ifconfig } from '../ifconfig.ts';
import { newKernel, nextTimerAtMs, type Effect } from '../kernel.ts';
import { netstatText } from '../netstat.ts';
import { sysctl } from '../sysctl.ts';

/** What a command printed and how it ended. */
export interface Printed {
  readonly text: string;
  readonly code: number;
}

/**
 * Just enough of sh(1) on one simulated host for what was typed on the real ones: `;`, a pipe
 * into grep, head or tail, and the tools of CARP. stdout and stderr are one, as a terminal has it.
 */
export class Shell {
  host: Host;
  nowMs = 0;
  /** The kernel's log since it was cleared. */
  log: string[] = [];
  readonly #done: (effects: readonly Effect[]) => void;

  /** `done` hears of everything that the host's tools made its kernel do. */
  constructor(host: Host, done: (effects: readonly Effect[]) => void = () => undefined) {
    this.host = host;
    this.#done = done;
  }

  /** Lets time pass, timers firing at theirs. */
  wait(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const dueAtMs = nextTimerAtMs(this.host.kernel);
      if (dueAtMs === null || dueAtMs > untilMs) break;
      this.nowMs = dueAtMs;
      const { kernel, effects } = runTimers(this.host.kernel, dueAtMs);
      this.take({ ...this.host, kernel }, effects);
    }
    this.nowMs = untilMs;
  }

  run(line: string): Printed {
    let text = '';
    let code = 0;
    for (const command of line.split(/;\s*/)) {
      const [first = '', ...filters] = command.split(/\s*\|\s*(?=grep|head|tail)/);
      let one = this.command(wordsOf(first));
      for (const filter of filters) one = filtered(one, wordsOf(filter));
      text += one.text;
      ({ code } = one);
    }
    return { text, code };
  }

  private command(words: readonly string[]): Printed {
    if (words[0] === 'chroot' && words[1] === '-u') return this.tool(words.slice(4), false);
    return this.tool(words, true);
  }

  private tool([name = '', ...args]: readonly string[], root: boolean): Printed {
    switch (name) {
      case 'ifconfig': {
        const run = ifconfig(this.host, args, this.nowMs, { root });
        this.take(run.host, run.effects);
        return { text: run.stdout + run.stderr, code: run.code };
      }
      case 'sysctl': {
        const run = sysctl(this.host, args, this.nowMs, root);
        this.take(run.host, run.effects);
        return { text: run.stdout + run.stderr, code: run.code };
      }
      case 'netstat':
        return { text: this.host.module ? netstatText(this.host.kernel) : '', code: 0 };
      case 'dmesg': {
        const text = this.log.map((one) => `${one}\n`).join('');
        if (args[0] === '-c') this.log = [];
        return { text, code: 0 };
      }
      case 'kldload':
      case 'kldunload':
      case 'kldstat':
        return this.module(name, args);
      default:
        return { text: `sh: ${name}: not found\n`, code: 127 };
    }
  }

  private module(name: string, args: readonly string[]): Printed {
    const { module, kernel } = this.host;
    if (name === 'kldstat') {
      if (module || args[0] === '-q') return { text: '', code: module ? 0 : 1 };
      return { text: "kldstat: can't find module carp: No such file or directory\n", code: 1 };
    }
    if (name === 'kldunload' && kernel.vhids.length > 0)
      return { text: "kldunload: can't unload file: Device busy\n", code: 1 };
    this.host = { ...this.host, module: name === 'kldload' };
    return { text: '', code: 0 };
  }

  private take(host: Host, effects: readonly Effect[]): void {
    this.host = host;
    for (const effect of effects) if (effect.kind === 'log') this.log.push(effect.line);
    this.#done(effects);
  }
}

const wordsOf = (text: string): string[] =>
  (text.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));

function filtered({ text }: Printed, [name = '', ...args]: readonly string[]): Printed {
  const lines = text.split('\n').filter((line) => line !== '');
  const ended = (kept: readonly string[]): Printed => ({
    text: kept.map((line) => `${line}\n`).join(''),
    code: name === 'grep' && kept.length === 0 ? 1 : 0,
  });
  if (name === 'tail') return ended(lines.slice(Number(args[0])));
  if (name === 'head') return { text: Buffer.from(text).subarray(0, 900).toString(), code: 0 };
  const pattern = new RegExp(args.at(-1) ?? '');
  return ended(lines.filter((line) => pattern.test(line) !== args.includes('-v')));
}

/** A host of the traces: fb1 or fb2, its interface vtnet1, nothing configured. */
export const bareHost = (at: 1 | 2, name = 'vtnet1'): Host => ({
  kernel: newKernel(13, false, [name]),
  interfaces: [
    {
      name,
      mac: `52:54:00:fb:01:0${at}`,
      addresses: [{ address: `10.1.60.1${at}`, length: 24 }],
    },
    { name: 'lo0', mac: '', addresses: [] },
  ],
  module: true,
  keys: {},
});
