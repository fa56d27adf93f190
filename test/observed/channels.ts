import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { EventKind } from '../../agent/core/events/events.ts';
import { alertKey } from '../../agent/core/notify/notify.ts';
import { inside } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import type { LabReport } from '../lab/report.ts';

/** How a person or a program is told. */
export const TELLING = ['mail', 'program', 'hook'] as const;
export type Telling = (typeof TELLING)[number];

/** One thing that somebody was told, in the same words for each way: `raised KEY`, `over KEY`, `KIND NODE`. */
export interface Told {
  readonly fact: string;
  /** The node that told it. */
  readonly by: string;
  /** Of the event; empty in a mail. */
  readonly id: string;
}

export interface Event {
  readonly id: string;
  readonly node: string;
  readonly kind: EventKind;
  readonly subject: string;
  readonly alert?: string | null;
  readonly brief?: boolean;
}

/** What an event is in the words of `Told`. */
export function factOf({ kind, node, subject, alert, brief }: Event): string {
  if (alert === undefined || alert === null) return `${kind} ${node}`;
  const word = brief === true ? 'brief' : kind === 'alert-cleared' ? 'over' : 'raised';
  return `${word} ${alertKey(alert, subject, node)}`;
}

interface Message {
  readonly node: string;
  readonly events: readonly Event[];
}

const toldBy = ({ node, events }: Message): Told[] =>
  events.map((event) => ({ fact: factOf(event), by: node, id: event.id }));

/** The same of a mail, from the lines that begin each part of it. */
function toldByMail(mail: string): Told[] {
  const by = /^From: ([^@\n]+)@/m.exec(mail)?.[1] ?? '';
  // A long line goes on in the next one, without indent.
  const unfolded = mail.replaceAll(/\n(?=\S)(?!\d{4}-|--|pair |proxyctl )/g, ' ');
  const heads = unfolded.matchAll(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}(.*)\n {4}([^:\n]+): /gm);
  return [...heads].map(([, head = '', node = '']) => {
    const [, word = '', alert = '', subject = ''] = /^([^:]+): (\S+) (.+) on \S+$/.exec(head) ?? [];
    if (word === '') return { fact: `${head} ${node}`, by, id: '' };
    const state = word === 'over' ? 'over' : word === 'was over at once' ? 'brief' : 'raised';
    return { fact: `${state} ${alertKey(alert, subject, node)}`, by, id: '' };
  });
}

/** Everything a lab with channels says to those outside, as it comes. */
export interface Channels {
  /** What was told by that way, the oldest first. */
  told(way: Telling): readonly Told[];
  /** Ways that are in the middle of a message since `slow` was set. */
  begun(): readonly Telling[];
  /** So many seconds each message takes from now on. */
  slow(seconds: number): void;
  /** As the agent at that place answers it now; empty: it does not. */
  metrics(at: number): string;
  /** A part of its page, as it is shown now. */
  page(at: number, part: string): string;
  end(): Promise<void>;
}

/** Puts the stand-ins in place and looks at every node from the client's place. */
export function channels(lab: LabReport): Channels {
  const at = (name: string): string => join(lab.runtime, name);
  const hooks: Message[] = [];
  const metrics = new Map<number, string>();
  const pages = new Map<number, Record<string, string>>();
  let hookBegun = false;
  // One write each: two of them may run at once.
  for (const [name, file, end] of [
    ['sendmail', 'mails', String.raw`\n\f\n`],
    ['told', 'programs', String.raw`\n`],
  ] as const) {
    const lines = [
      '#!/bin/sh',
      `touch '${at(file)}.begun'`,
      `sleep "$(cat '${at('slow')}')"`,
      'text=$(cat)',
      `printf '%s${end}' "$text" >> '${at(file)}'`,
    ];
    writeFileSync(at(name), `${lines.join('\n')}\n`);
    chmodSync(at(name), 0o755);
    writeFileSync(at(file), '');
  }
  writeFileSync(at('slow'), '0');
  const script = join(CHECKOUT, 'dist/test/lab/channels.js');
  const addresses = lab.nodes.map(({ address4 }) => address4);
  const [command = '', ...args] = inside(lab, 'client', [
    process.execPath,
    script,
    lab.runtime,
    ...addresses,
  ]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  createInterface({ input: child.stdout }).on('line', (line) => {
    const said = JSON.parse(line) as {
      readonly channel: string;
      readonly at: number;
      readonly text: string;
      readonly body: string;
      readonly parts: Record<string, string>;
    };
    switch (said.channel) {
      case 'begun':
        hookBegun = true;
        break;
      case 'hook':
        hooks.push(JSON.parse(said.body) as Message);
        break;
      case 'metrics':
        metrics.set(said.at, said.text);
        break;
      default:
        pages.set(said.at, { ...pages.get(said.at), ...said.parts });
    }
  });
  const parts = (file: string, end: string): string[] =>
    readFileSync(at(file), 'utf8').split(end).slice(0, -1);
  const isThere = (file: string): boolean => {
    try {
      readFileSync(at(file));
      return true;
    } catch {
      return false;
    }
  };
  return {
    told(way) {
      if (way === 'mail') return parts('mails', '\n\f\n').flatMap(toldByMail);
      if (way === 'hook') return hooks.flatMap(toldBy);
      return parts('programs', '\n').flatMap((line) => toldBy(JSON.parse(line) as Message));
    },
    begun: () => [
      ...(isThere('mails.begun') ? (['mail'] as const) : []),
      ...(isThere('programs.begun') ? (['program'] as const) : []),
      ...(hookBegun ? (['hook'] as const) : []),
    ],
    slow(seconds) {
      for (const file of ['mails', 'programs']) rmSync(`${at(file)}.begun`, { force: true });
      hookBegun = false;
      writeFileSync(at('slow'), String(seconds));
    },
    metrics: (place) => metrics.get(place) ?? '',
    page: (place, part) => pages.get(place)?.[part] ?? '',
    async end() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
