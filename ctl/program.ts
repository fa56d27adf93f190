import { Command, CommanderError, type Help } from 'commander';
import { nearest } from '../agent/core/words.ts';
import { VERSION } from '../agent/version.ts';
import { addAcme } from './commands/acme.ts';
import { addAudit } from './commands/audit.ts';
import { addAutomation } from './commands/automation.ts';
import { addCertificates } from './commands/certificates.ts';
import { addCompletion } from './commands/completion.ts';
import { addConfig } from './commands/config.ts';
import { addContexts } from './commands/contexts.ts';
import { addDiff } from './commands/diff.ts';
import { addDoctor } from './commands/doctor.ts';
import { addDrill } from './commands/drill.ts';
import { addNotify } from './commands/notify.ts';
import { addEvents } from './commands/events.ts';
import { addExplain } from './commands/explain.ts';
import { addHaproxy } from './commands/haproxy.ts';
import { addHistory } from './commands/history.ts';
import { addMoves } from './commands/moves.ts';
import { addServers } from './commands/servers.ts';
import { addSetup } from './commands/setup.ts';
import { addStatus } from './commands/status.ts';
import { addTop } from './commands/top.ts';
import { addWait } from './commands/wait.ts';
import { asFailure, usage } from './failure.ts';
import { columns } from './render/width.ts';
import type { Finish } from './options.ts';
import { failed, newRequestId } from './session.ts';
import { helpEnd, VERB_HELP } from './help/verb-help.ts';
import { OFFLINE_HELP } from './help/verb-help-offline.ts';
import type { Streams } from './streams.ts';

const AFTER = `
Examples:
  proxyctl status
  proxyctl doctor
  proxyctl failover --vhid 1 --reason "kernel update"
  proxyctl drain WEB/web1 --wait --reason "kernel update"
  proxyctl cert push /root/www.pem --dry-run

Exit codes:
  0 done or already so   4 not authorised          8 not found
  1 failed, unchanged    5 unsafe: --accept-risk   9 conflict
  2 usage                6 on some nodes only     10 no agent reached
  3 would change, found  7 result unknown        124 timeout before acting`;

interface Group {
  readonly heading: string;
  readonly verbs: readonly string[];
  readonly add: (program: Command, io: Streams, finish: Finish) => void;
}

/** In the order in which an operator looks for them. */
const GROUPS: readonly Group[] = [
  {
    heading: 'Look:',
    verbs: [
      'status',
      'top',
      'explain',
      'history',
      'events',
      'audit',
      'doctor',
      'diff',
      'wait',
      'notify',
    ],
    add: (...where) => {
      addStatus(...where);
      addTop(...where);
      addExplain(...where);
      addHistory(...where);
      addEvents(...where);
      addAudit(...where);
      addDoctor(...where);
      addDiff(...where);
      addWait(...where);
      addNotify(...where);
    },
  },
  {
    heading: 'Move addresses:',
    verbs: ['failover', 'failback', 'drill'],
    add: (...where) => {
      addMoves(...where);
      addDrill(...where);
    },
  },
  {
    heading: 'Take a node or the automation out:',
    verbs: ['maintenance', 'pause', 'resume'],
    add: addAutomation,
  },
  {
    heading: "HAProxy's servers, on every node at once:",
    verbs: ['servers', 'drain', 'ready', 'maint', 'weight', 'haproxy'],
    add: (...where) => {
      addServers(...where);
      addHaproxy(...where);
    },
  },
  {
    heading: "HAProxy's configuration, on every node:",
    verbs: ['config'],
    add: addConfig,
  },
  {
    heading: 'Certificates, on every node or on none:',
    verbs: ['cert', 'acme'],
    add: (...where) => {
      addCertificates(...where);
      addAcme(...where);
    },
  },
  {
    heading: 'This machine: the agents to talk to, your shell:',
    verbs: ['context', 'completion'],
    add: (...where) => {
      addContexts(...where);
      addCompletion(...where);
    },
  },
  { heading: 'Install a pair, without any agent:', verbs: ['setup', 'pki'], add: addSetup },
];
const isVerb = (word: string): boolean => GROUPS.some(({ verbs }) => verbs.includes(word));

/** Runs one command line; its exit code. Mistakes on it go to `io` as every other failure does. */
export async function run(given: readonly string[], io: Streams): Promise<number> {
  let code = 0;
  const argv = inOrder(given);
  const program = buildProgram(argv[0] ?? '', io, (finished) => {
    code = finished;
  });
  if (argv.length === 0) {
    io.err(`${program.helpInformation()}${AFTER}\n`);
    return 2;
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const verb = verbOf(program, argv);
    const output = wantsJson(argv) ? ('json' as const) : ('table' as const);
    const failure =
      error instanceof CommanderError ? mistake(error, verb, argv, program) : asFailure(error);
    return failed(verb, { output }, io, failure, newRequestId(), 0);
  }
}

const VALUED = new Set(['--context', '--config', '-o', '--output', '--timeout']);
const isEarly = (word: string): boolean =>
  word === '--json' || VALUED.has(word.replace(/=.*/s, '')) || /^-o./.test(word);

/**
 * As the rest reads it: options of every verb that stand before it go behind it, `help VERB` is
 * VERB --help, and `version` is --version.
 */
function inOrder(given: readonly string[]): readonly string[] {
  let at = 0;
  while (isEarly(given[at] ?? '')) at += VALUED.has(given[at] ?? '') ? 2 : 1;
  const [early, rest] = [given.slice(0, at), given.slice(at)];
  const [verb, ...more] = rest;
  if (verb === 'version' && more.length === 0) return ['--version'];
  if (verb === 'help') return [...more, '--help'];
  if (verb === undefined) return given;
  const end = rest.indexOf('--');
  return end < 0 ? [...rest, ...early] : [...rest.slice(0, end), ...early, ...rest.slice(end)];
}

/** The whole command tree; with a known verb in `asked`, only its part. */
export function buildProgram(asked: string, io: Streams, finish: Finish): Command {
  const program = new Command('proxyctl')
    .usage('VERB [arguments] [options]')
    .description('Operates HAProxy hosts behind CARP as one.')
    .version(`proxyctl ${VERSION}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'this text; help VERB for one verb')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: () => undefined })
    .configureHelp({
      // Asked for where a help is shown: looking at the terminal costs time.
      get helpWidth() {
        return Math.min(80, columns());
      },
      visibleCommands: leaves,
      subcommandTerm: termOf,
      // Without commander's own remarks on defaults and choices: the texts say what matters.
      optionDescription: ({ description }) => description,
    });
  for (const { heading, verbs, add } of GROUPS) {
    // A known verb needs the others for nothing; help and suggestions need all.
    if (isVerb(asked) && !verbs.includes(asked)) continue;
    program.commandsGroup(heading);
    add(program, io, finish);
    for (const verb of leaves(program)) if (verb.helpGroup() === '') verb.helpGroup(heading);
  }
  for (const verb of leaves(program)) explained(verb);
  return program.addHelpText('after', AFTER);
}

/** Whole sentences, examples and exit codes, for those who ask for the help of one verb. */
function explained(verb: Command): void {
  const group = (verb.parent?.parent ?? null) === null ? '' : `${verb.parent?.name() ?? ''} `;
  const name = `${group}${verb.name()}`;
  const help = VERB_HELP[name] ?? OFFLINE_HELP[name];
  if (help === undefined) return;
  if (help.says !== undefined)
    verb
      .summary(verb.summary() === '' ? verb.description() : verb.summary())
      .description(help.says);
  verb.addHelpText('after', helpEnd(help));
}

/** The verbs themselves in place of the groups that hold them. */
const leaves = (command: Command): Command[] =>
  command.commands.flatMap((one) => (one.commands.length === 0 ? [one] : leaves(one)));

function termOf(this: Help, command: Command): string {
  const group = command.parent?.parent === null ? '' : `${command.parent?.name() ?? ''} `;
  const args = command.registeredArguments.map((one) => {
    const name = one.variadic ? `${one.name()}...` : one.name();
    return one.required ? name : `[${name}]`;
  });
  return [`${group}${command.name()}`, ...args].join(' ');
}

/** The verb in the words of the command line: "status", "cert push"; empty for none. */
function verbOf(program: Command, argv: readonly string[]): string {
  const words = argv.filter((word) => !word.startsWith('-'));
  const [first = ''] = words;
  const known = program.commands.find((one) => one.name() === first);
  if (known === undefined || known.commands.length === 0) return known === undefined ? '' : first;
  const second = known.commands.find((one) => one.name() === words[1]);
  return second === undefined ? first : `${first} ${second.name()}`;
}

const wantsJson = (argv: readonly string[]): boolean =>
  argv.some(
    (word, at) =>
      /^(--json|-ojson|--output=json)$/.test(word) ||
      (/^(-o|--output)$/.test(word) && argv[at + 1] === 'json'),
  );

function mistake(error: CommanderError, verb: string, argv: readonly string[], program: Command) {
  const [first = '', hint = ''] = error.message.replace(/^error: /, '').split('\n');
  const help = `proxyctl ${verb === '' ? '' : `${verb} `}--help`;
  if (error.code === 'commander.help') return usage(`${verb} needs one more word`, help);
  if (error.code === 'commander.unknownOption' && (argv[0] ?? '').startsWith('-'))
    return usage(first, 'before the verb stand only --context, --config, -o, --json, --timeout');
  if (error.code === 'commander.unknownCommand') return unknownWord(program, argv, first, help);
  const near = /^\((Did you mean .*)\)$/.exec(hint)?.[1];
  return usage(first, near === undefined ? help : `${near.replace('Did', 'did')} See ${help}`);
}

/** Only words that may stand where the mistyped one stands are suggested. */
function unknownWord(program: Command, argv: readonly string[], message: string, help: string) {
  const words = argv.filter((word) => !word.startsWith('-'));
  const group = program.commands.find((one) => one.name() === words[0]);
  const [level, word = ''] = group === undefined ? [program, words[0]] : [group, words[1]];
  const names = level.commands.map((one) => one.name());
  const near = nearest(word, names);
  if (near !== null) return usage(message, `did you mean ${near}? See ${help}`);
  return usage(message, group === undefined ? help : `give ${names.join(', ')}. See ${help}`);
}
