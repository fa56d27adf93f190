import type { Command } from 'commander';
import { checkChallenge, tokenOf } from '../../agent/core/certs/challenge.ts';
import { answerText } from '../json/answer.ts';
import { challengeResult, challengesResult } from '../json/challenges.ts';
import { usage } from '../failure.ts';
import { changing, common, type Finish } from '../options.ts';
import { challengeTable } from '../render/challenges.ts';
import { acting, reading, type ActOptions, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

interface ChallengeOptions extends ActOptions {
  readonly domain?: string;
}

/** `proxyctl acme present|cleanup|list`. */
export function addAcme(program: Command, io: Streams, finish: Finish): void {
  const acme = program
    .command('acme')
    .description('answers to http-01 challenges of an ACME CA')
    .helpCommand(false);
  for (const verb of ['present', 'cleanup'] as const) {
    const presents = verb === 'present';
    const command = acme
      .command(presents ? 'present [TOKEN]' : 'cleanup [TOKEN]')
      .description(
        presents ? 'returns once every node answers the challenge' : 'no node answers it any more',
      )
      .option('--domain <NAME>', "for the record; without it CERTBOT_DOMAIN, as certbot's hooks");
    if (presents)
      command
        .allowExcessArguments()
        .usage('[TOKEN KEYAUTH] [options]')
        .addHelpText(
          'after',
          '\nWithout arguments: CERTBOT_TOKEN and CERTBOT_VALIDATION of the environment.' +
            '\nA token that begins with -: options first, then -- TOKEN KEYAUTH.',
        );
    else
      command.addHelpText(
        'after',
        '\nWithout TOKEN: CERTBOT_TOKEN of the environment.' +
          '\nA token that begins with -: options first, then -- TOKEN.',
      );
    changing(command).action(async () => {
      const { token, keyAuthorization } = asked(command.args, presents);
      const options = command.opts<ChallengeOptions>();
      const domain = options.domain ?? process.env['CERTBOT_DOMAIN'] ?? '';
      finish(
        await acting(
          `acme ${verb}`,
          options,
          io,
          (agent, header, report) =>
            agent.setChallenge({ header, token, keyAuthorization, domain }, report),
          {
            table: () => '',
            result: () => challengeResult(token, domain),
            afterwards: ({ changed }) =>
              changed ? '' : `already ${presents ? 'presented' : 'gone'}`,
            withStatus: false,
          },
        ),
      );
    });
  }
  common(acme.command('list').description('what is answered now, and until when')).action(
    async (options: CommonOptions) =>
      finish(
        await reading(
          'acme list',
          options,
          io,
          (agent) => agent.status(),
          ({ intents, node }, told) => {
            const tokens = intents.filter((intent) => tokenOf(intent) !== null);
            if (options.output === 'json')
              io.out(answerText('acme list', node, told, challengesResult(tokens)));
            else if (tokens.length === 0) io.err('no token is presented\n');
            else io.out(`${challengeTable(tokens, Date.now())}\n`);
            return 0;
          },
        ),
      ),
  );
}

/** From the command line, or from the variables certbot sets for its hooks. Throws ActFailure 'usage'. */
function asked(given: readonly string[], presents: boolean) {
  const [first, second, more] = given;
  const fromCertbot = first === undefined;
  const token = fromCertbot ? process.env['CERTBOT_TOKEN'] : first;
  const keyAuth = fromCertbot ? process.env['CERTBOT_VALIDATION'] : second;
  if (more !== undefined)
    throw usage('more than TOKEN and KEYAUTH', 'give one challenge at a time');
  if (token === undefined || (presents && keyAuth === undefined))
    throw usage(
      presents ? 'TOKEN and KEYAUTH are missing' : 'TOKEN is missing',
      'give it, or run it as a hook of certbot, which sets CERTBOT_TOKEN',
    );
  const keyAuthorization = presents ? (keyAuth ?? null) : null;
  checkChallenge(token, keyAuthorization);
  return { token, keyAuthorization };
}
