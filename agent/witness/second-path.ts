import type { NodeReport } from '../core/model.ts';
import { NO_ECHO, type Echo } from './echo.ts';
import { parseGateways } from './gateways.ts';
import { pingEcho } from './ping-echo.ts';
import { INTERVAL_MS, standingPings } from './standing-ping.ts';
import { prober } from './prober.ts';
import { rawEcho } from './raw-echo.ts';
import { warmGateways } from './warm-gateways.ts';
import type { Clock } from '../sys/clock.ts';
import { execWithin, type Exec } from '../sys/exec.ts';
import { startLines } from '../sys/line-program.ts';
import { sentence } from '../core/words.ts';
import { accessSync, constants } from 'node:fs';

/** What of agent.toml this needs. */
interface EchoConfig {
  /** No witness: the default gateways. */
  readonly policy: { readonly icmp: 'auto' | 'ping'; readonly witness: readonly string[] };
  readonly carp: { readonly tools: { readonly netstat: string } };
}

export interface SecondPath {
  readonly icmp: NodeReport['icmp'];
  /** Why not raw-socket; empty when it is. */
  readonly why: string;
  readonly prober: ReturnType<typeof prober>;
}

const PINGS = ['/sbin/ping', '/bin/ping', '/usr/bin/ping'];
const TOOL_MS = 2000;

/** Echo to peers and witnesses: raw-socket where it loads and may, else ping(8), else none. */
export async function secondPath(options: {
  readonly config: EchoConfig;
  readonly clock: Clock;
  readonly subnets: () => ReadonlyMap<string, readonly string[]>;
  readonly onChange: () => void;
  /** This host carries an IPv6 VIP: gateways are kept warm for it. */
  readonly hasIpv6: () => boolean;
  /** Runs ping(8) and netstat(1); absent: execWithin. */
  readonly exec?: Exec;
}): Promise<SecondPath> {
  const { config, clock, exec = execWithin(TOOL_MS) } = options;
  let why = '';
  let made: ReturnType<typeof prober> | null = null;
  const onReply = (address: string): void => made?.answered(address);
  const onUnsent = (address: string): void => made?.unsent(address);
  const onAsked = (address: string): void => made?.asked(address);
  const open = (): Echo => {
    try {
      if (config.policy.icmp !== 'ping') return rawEcho(onReply);
      why = 'agent.toml says ping';
    } catch (error) {
      why = sentence(error).split('\n')[0] ?? '';
    }
    const ping = PINGS.find(isRunnable);
    if (ping === undefined) return NO_ECHO;
    const once = pingEcho(exec, ping, onReply, onUnsent);
    const askOnce = (address: string): void => once.send(address);
    const standing = standingPings({ ping, clock, start: startLines, onAsked, onReply, askOnce });
    return { ...once, calmMs: INTERVAL_MS, ...standing };
  };
  const read = async (): Promise<readonly string[]> =>
    parseGateways(await exec(config.carp.tools.netstat, ['-rn']));
  const echo = warmGateways(open(), { clock, read, wanted: options.hasIpv6 });
  const witnesses =
    config.policy.witness.length > 0 ? config.policy.witness : await read().catch(() => []);
  made = prober({ ...options, clock, echo, witnesses });
  return { icmp: echo.kind, why, prober: made };
}

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
