#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startAgent, type Agent } from './agent.ts';
import { ConfigError, loadConfig, type Config } from './config/config.ts';
import { openLog, type Log } from './log.ts';
import {
  accountOf,
  giveLog,
  giveRecord,
  refuseSteered,
  type Account,
} from './privilege/account.ts';
import { releaseHost } from './start/release.ts';
import { checkStart, failureText, lostFailure, startFailure } from './start/failure.ts';
import type { StartFailure } from './start/failure.ts';
import { systemClock } from './sys/clock.ts';
import { execWithin } from './sys/exec.ts';
import { VERSION } from './version.ts';

const USAGE =
  'usage: proxyagent [--config FILE] [--leave-file FILE] [--supervised]\n' +
  '                  [--check | --check-start | --release | --version]';
const ID_MS = 10_000;
const DEFAULT_CONFIG = '/usr/local/etc/proxyctl/agent.toml';

function end(code: number, text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}

interface Options {
  readonly config: string;
  readonly check: boolean;
  /** As `check`, and what keeps a start from succeeding besides. */
  readonly 'check-start': boolean;
  readonly release: boolean;
  readonly version: boolean;
  /** While it exists the system goes down, and SIGTERM hands the addresses over first. */
  readonly 'leave-file': string;
  /** Somebody starts it again once it has ended. */
  readonly supervised: boolean;
}

function options(): Options {
  try {
    const { values } = parseArgs({
      options: {
        config: { type: 'string', default: DEFAULT_CONFIG },
        check: { type: 'boolean', default: false },
        'check-start': { type: 'boolean', default: false },
        release: { type: 'boolean', default: false },
        'leave-file': { type: 'string', default: '' },
        supervised: { type: 'boolean', default: false },
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

/** Whom to become, where `logs` with a log it may write to; null: stay who we are. */
async function accountHere(config: Config, logs: boolean): Promise<Account | null> {
  const { user, log } = config;
  if (process.geteuid?.() !== 0) return null;
  try {
    const found = await accountOf(execWithin(ID_MS), user);
    if (found !== null) await refuseSteered(execWithin(ID_MS), path, found);
    if (found !== null && logs) {
      await giveLog('log.file', log.file, found);
      await giveRecord('log.audit', log.audit, found);
      await giveRecord('log.events', log.events, found);
    }
    return found;
  } catch (error) {
    return end(1, failureText(startFailure(error, config)));
  }
}

function logHere(config: Config): Log {
  try {
    return openLog({ ...config.log, node: config.node });
  } catch (error) {
    return end(1, failureText(startFailure(error, config)));
  }
}

const given = options();
const { config: path, check, version, release, 'leave-file': leaveFile } = given;
if (version) {
  process.stdout.write(`proxyagent ${VERSION}\n`);
  process.exit(0);
}
const config = await read(path);
if (given['check-start']) {
  const failure = await checkStart(config, systemClock.wallMs());
  if (failure !== null) end(1, failureText(failure));
}
if (check || given['check-start']) {
  process.stdout.write(`${path}: good\n`);
  process.exit(0);
}
const account = await accountHere(config, !release);
if (release) process.exit(await releaseHost(config, account));
const log = logHere(config);
// What nobody foresaw is for the log, with its stack; daemon(8) starts the agent again.
const crash = (error: unknown): void => {
  const stack = error instanceof Error ? error.stack : String(error);
  log.error('agent-crashed', { stack }, 'unexpected error');
  log.flush();
  process.exit(1);
};
process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);

/** Said in the log and, by daemon(8), in /var/log/messages. */
function fail(failure: StartFailure): never {
  log.error('agent-failed', { remedy: failure.remedy }, failure.cause);
  log.flush();
  return end(1, failureText(failure));
}

/** agent.toml again; one that would not start leaves the old one in force, and is said. */
async function again(agent: Agent): Promise<void> {
  try {
    agent.reload(await loadConfig(path));
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    log.error('config-refused', { file: path, cause }, 'running on with the old one');
    agent.reloadRefused(cause, `mend ${path}, then service proxyagent reload`);
  }
}

try {
  const agent = await startAgent(config, systemClock, log, account, given.supervised);
  const fields = { version: VERSION, node_version: process.versions.node, listen: agent.addresses };
  log.info('agent-started', fields, `proxyagent ${VERSION} on ${config.node}`);
  agent.lost.catch((error: unknown) => fail(lostFailure(error)));
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    const leaving = signal === 'SIGTERM' && leaveFile !== '' && existsSync(leaveFile);
    log.info('agent-stopping', { signal, leaving }, leaving ? 'the system goes down' : signal);
    const handOver = async (): Promise<void> => {
      if (leaving) await agent.leave();
      else if (signal === 'SIGTERM') await agent.endWithHaproxy();
    };
    const stopped = handOver().then(() => agent.stop());
    void stopped.then(() => {
      log.flush();
      process.exit(0);
    }, crash);
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGHUP', () => {
    log.reopen();
    agent.reopenRecords();
    void again(agent);
  });
} catch (error) {
  fail(startFailure(error, config));
}
