import type { Command, Option } from 'commander';
import { RISKS } from '../../agent/core/acts.ts';
import { SHOW_NAMES } from '../../agent/core/show-commands.ts';
import type { Remembered } from './cache.ts';
import { SHELLS } from './scripts.ts';

/** One thing a word may become. */
export interface Candidate {
  readonly word: string;
  /** Empty for a name. */
  readonly about: string;
}

/** What stands at the cursor: these words, or a path that the shell completes itself. */
export type Offer =
  | { readonly kind: 'words'; readonly list: readonly Candidate[] }
  | { readonly kind: 'files' | 'folders' };

/** Names that are asked for, by kind. */
export interface Names {
  readonly known: Remembered | null;
  readonly contexts: readonly string[];
}

const FILES: Offer = { kind: 'files' };
const FOLDERS: Offer = { kind: 'folders' };
const words = (list: readonly string[]): Offer => ({
  kind: 'words',
  list: list.map((word) => ({ word, about: '' })),
});
const NOTHING = words([]);

const nodesOf = ({ known }: Names): readonly string[] => known?.nodes ?? [];
const addressesOf = ({ known }: Names): string[] => [
  ...new Set((known?.addresses ?? []).flatMap(({ address, vips }) => [address, ...vips])),
];
const serversOf = ({ known }: Names): readonly string[] => known?.servers ?? [];
const backendsOf = (names: Names): string[] =>
  serversOf(names).filter((name) => !name.includes('/'));
const certificatesOf = ({ known }: Names): readonly string[] => known?.certificates ?? [];
const conditionsOf = (names: Names): string[] => [
  'converged',
  'serving',
  ...nodesOf(names).flatMap((node) => [`serving=${node}`, `owner=${node}`]),
  ...serversOf(names).map((server) => `drained=${server}`),
  ...certificatesOf(names).map((certificate) => `version=${certificate}`),
];

/** The value of an option that is no choice of its own. */
const VALUES: Readonly<Record<string, (names: Names) => Offer>> = {
  '--context': ({ contexts }) => words(contexts),
  '--to': (names) => words(nodesOf(names)),
  '--node': (names) => words(nodesOf(names)),
  '--vhid': (names) => words(addressesOf(names)),
  '--address': (names) => words(addressesOf(names)),
  '--for': (names) => words(conditionsOf(names)),
  '--accept-risk': () => words(RISKS),
  '--as': (names) => words(certificatesOf(names)),
  ...Object.fromEntries(
    ['--config', '--key', '--chain', '--ca', '--cert', '--socket'].map((name) => [
      name,
      () => FILES,
    ]),
  ),
  ...Object.fromEntries(
    ['--dir', '--out', '--pki', '--root', '--write'].map((name) => [name, () => FOLDERS]),
  ),
};

type Place = (names: Names, at: number, before: readonly string[]) => Offer;
const targets: Place = (names) => words(serversOf(names));
const addresses: Place = (names) => words(addressesOf(names));
const node: Place = (names, at) => (at === 0 ? words(nodesOf(names)) : NOTHING);
const certificates: Place = (names) => words(certificatesOf(names));
const context: Place = ({ contexts }, at) => (at === 0 ? words(contexts) : NOTHING);

/** What stands in the places of a verb. */
const ARGUMENTS: Readonly<Record<string, Place>> = {
  explain: addresses,
  history: addresses,
  diff: (_names, at) => (at === 0 ? words(['certificates']) : NOTHING),
  'maintenance on': node,
  'maintenance off': node,
  servers: (names, at) => (at === 0 ? words(backendsOf(names)) : NOTHING),
  drain: targets,
  ready: targets,
  maint: targets,
  weight: (names, at) =>
    at === 0 ? words(serversOf(names)) : words(['reset', '0', '50%', '100%']),
  haproxy: (_names, at, before) => {
    const said = [...before.slice(0, at), ''].join(' ');
    const rest = SHOW_NAMES.map((name) => `show ${name}`).filter((name) => name.startsWith(said));
    return words([...new Set(rest.map((name) => name.slice(said.length).split(' ')[0] ?? ''))]);
  },
  'config diff': () => FILES,
  'config check': () => FILES,
  'config push': () => FILES,
  'cert push': () => FILES,
  'cert rollback': certificates,
  'cert show': certificates,
  'context show': context,
  'context use': context,
  'context remove': context,
  'context import': () => FOLDERS,
  setup: () => FILES,
  'pki issue': (_names, at) => (at === 0 ? words(['node', 'operator']) : NOTHING),
  'pki enroll': (_names, at) => (at === 0 ? words(['node', 'operator']) : NOTHING),
  'pki approve': () => FILES,
  'pki publish': () => FILES,
  'pki rotate-ca': (_names, at) => (at === 0 ? words(['begin', 'issue', 'finish']) : NOTHING),
  completion: (_names, at) => (at === 0 ? words(SHELLS) : NOTHING),
};

/** What the last of `line` may become; the words before it are whole. */
export function offerFor(program: Command, line: readonly string[], names: Names): Offer {
  const current = line.at(-1) ?? '';
  const done = line.slice(0, -1);
  let command = program;
  const places: string[] = [];
  let waiting: Option | null = null;
  for (const word of done) {
    const option = word.startsWith('-') ? optionOf(command, word.replace(/=.*/s, '')) : null;
    if (waiting !== null) waiting = null;
    else if (option !== null) waiting = takesValue(option) && !word.includes('=') ? option : null;
    else if (!word.startsWith('-')) {
      const next = command.commands.find((one) => one.name() === word);
      if (next === undefined) places.push(word);
      else command = next;
    }
  }
  if (waiting !== null) return valueOf(waiting, names);
  const [, name, value] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  if (name !== undefined && value !== undefined) {
    const option = optionOf(command, name);
    const offer = option === null ? NOTHING : valueOf(option, names);
    return offer.kind === 'words' ? words(offer.list.map(({ word }) => `${name}=${word}`)) : offer;
  }
  if (current.startsWith('-'))
    return {
      kind: 'words',
      list: command.options
        .filter((one) => !one.hidden && one.long !== undefined)
        .map((one) => ({ word: one.long ?? '', about: one.description })),
    };
  if (command.commands.length > 0 || command === program)
    return {
      kind: 'words',
      list: command.commands.map((one) => ({
        word: one.name(),
        about: one.summary() || one.description(),
      })),
    };
  const verb = [command.parent === program ? '' : command.parent?.name(), command.name()];
  const place = ARGUMENTS[verb.filter(Boolean).join(' ')];
  return place === undefined ? NOTHING : place(names, places.length, places);
}

const optionOf = (command: Command, word: string): Option | null =>
  command.options.find((one) => one.long === word || one.short === word) ?? null;

const takesValue = (option: Option): boolean => option.required || option.optional;

function valueOf(option: Option, names: Names): Offer {
  if (option.argChoices !== undefined) return words(option.argChoices);
  return VALUES[option.long ?? '']?.(names) ?? NOTHING;
}
