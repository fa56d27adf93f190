import type { Deployments } from '../core/deploy/deployments.ts';
import { sentence } from '../core/words.ts';
import type { Problems } from '../problems.ts';

const REMEDY = 'make room beside state of agent.toml; service proxyagent restart tells it again';

/**
 * Hands the lists of who was revoked to root, which verifies signed configurations by them, where
 * it allows any. Whatever root is asked later it is asked behind them. Never throws: a list that
 * root could not keep is a problem.
 */
export const tellRoot =
  (
    deployments: Pick<Deployments, 'refuses' | 'revocations'>,
    problems: Pick<Problems, 'raise' | 'clear'>,
  ) =>
  (lists: string): void => {
    if (deployments.refuses !== '' || lists === '') return;
    deployments.revocations(lists).then(
      () => problems.clear('revoked-root'),
      (error: unknown) =>
        problems.raise(
          'revoked-root',
          `root does not know whose signatures are no longer good: ${sentence(error)}`,
          REMEDY,
        ),
    );
  };
