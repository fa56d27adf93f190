#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { startAgent } from './agent.ts';
import { ConfigError, loadConfig, type Config } from './config.ts';
import { openLog } from './log.ts';
import { accountOf, giveLog, type Account } from './privilege/account.ts';
import { systemClock } from './sys/clock.ts';
import { execWithin } from './sys/exec.ts';
import { VERSION } from './version.ts';

const USAGE = 'usage: proxyagent [--config FILE] [--check] [--version]';
const ID_MS = 10_000;
const DEFAULT_CONFIG = '/usr/local/etc/proxyctl/agent.toml';

function end(code: number, text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}

function options(): { config: string; check: boolean; version: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        config: { type: 'string', default: DEFAULT_CONFIG },
        check: { type: 'boolean', default: false },
        version: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    return end(
      2,
      `proxyagent: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`,
    );
  }
}

async function read(path: string): Promise<Config> {
  try {
    return await loadConfig(path);
  } catch (error) {
    if (error instanceof ConfigError) return end(2, error.message);
    throw error;
  }
}

/** Whom to become, with a log it may write to; null: stay who we are. */
async function accountHere({ user, log }: Config): Promise<Account | null> {
  if (process.geteuid?.() !== 0) return null;
  try {
    const found = await accountOf(execWithin(ID_MS), user);
    if (found !== null) await giveLog(log.file, found);
    return found;
  } catch (error) {
    return end(1, `proxyagent: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const { config: path, check, version } = options();
if (version) {
  process.stdout.write(`proxyagent ${VERSION}\n`);
  process.exit(0);
}
const config = await read(path);
if (check) {
  process.stdout.write(`${path}: good\n`);
  process.exit(0);
}
const account = await accountHere(config);
const log = openLog({ ...config.log, node: config.node });
// What nobody foresaw is for the log, with its stack; daemon(8) starts the agent again.
const crash = (error: unknown): void => {
  const stack = error instanceof Error ? error.stack : String(error);
  log.error('agent-crashed', { stack }, 'unexpected error');
  log.flush();
  process.exit(1);
};
process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);

try {
  const agent = await startAgent(config, systemClock, log, account);
  const fields = { version: VERSION, node_version: process.versions.node, listen: agent.addresses };
  log.info('agent-started', fields, `proxyagent ${VERSION} on ${config.node}`);
  // A helper that is gone cannot be had back without root: daemon(8) starts all of it again.
  agent.lost.catch(crash);
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info('agent-stopping', { signal }, signal);
    void agent.stop().then(() => {
      log.flush();
      process.exit(0);
    }, crash);
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGHUP', () => {
    log.reopen();
    agent.reload();
    // Keys other than the TLS files need a restart; a file that would not start is said now.
    loadConfig(path).then(
      () => agent.solved('config'),
      (error: unknown) => {
        const cause = error instanceof Error ? error.message : String(error);
        log.error('config-refused', { file: path, cause }, 'running on with the old one');
        agent.problem('config', cause, `mend ${path}, then service proxyagent reload`);
      },
    );
  });
} catch (error) {
  const cause = error instanceof Error ? error.message : String(error);
  log.error('agent-failed', {}, cause);
  log.flush();
  end(1, `proxyagent: ${cause}`);
}
