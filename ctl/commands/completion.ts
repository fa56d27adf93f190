import { Argument, type Command } from 'commander';
import { scriptOf, SHELLS, type Shell } from '../complete/scripts.ts';
import type { Finish } from '../options.ts';
import type { Streams } from '../streams.ts';

const MORE = `
Examples:
  eval "$(proxyctl completion bash)"                     bash, in ~/.bashrc
  proxyctl completion zsh > "\${fpath[1]}/_proxyctl"      zsh, once
  proxyctl completion fish > ~/.config/fish/completions/proxyctl.fish
  proxyctl completion tcsh >> ~/.tcshrc                  tcsh, once

Names of nodes, addresses, servers, certificates and contexts are completed
from what this machine remembers in ~/.cache/proxyctl, mode 0600. A Tab has
them asked for anew in the background, at most every ten seconds; where no
agent answers the shell does not notice. sh cannot be completed by a program:
there proxyctl_words prints what the next word may be.`;

/** `proxyctl completion`. */
export function addCompletion(program: Command, io: Streams, finish: Finish): void {
  program
    .command('completion')
    .summary('what a shell reads to complete words and names')
    .description('Prints what the shell reads to complete verbs, options and names of proxyctl.')
    .addArgument(new Argument('<SHELL>', SHELLS.join(', ')).choices(SHELLS))
    .addHelpText('after', MORE)
    .action((shell: Shell) => {
      io.out(scriptOf(shell));
      finish(0);
    });
}
