import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PREFIX } from '../../packaging/contents.ts';
import type { Release } from '../kernel/kernel.ts';

/**
 * The program of a node's agent: an older one of the fixtures, by its commit, or a bundle, which is
 * one file with helper.sh beside it, as a package installs it.
 */
export type AgentProgram = { readonly older: string } | { readonly bundle: string };

/** What `up` was asked for. */
export interface LabOptions {
  readonly name: string;
  readonly freebsd: Release;
  readonly preempt: boolean;
  /** kern.timecounter.alloweddeviation of the hosts; absent: 5. */
  readonly deviation?: number;
  /** The haproxy to run. */
  readonly haproxy: string;
  readonly nodes: number;
  /** How many vhids each host has, from 1 up; absent: one. */
  readonly addresses?: number;
  /** policy.max_moves of the agents; absent: the product's own. */
  readonly maxMoves?: number;
  /** Agents answer at their own address, port 7662, for a Prometheus in the client's place. */
  readonly metrics?: true;
  /** Agents answer the page at their own address, port 7663, for a browser in the client's place. */
  readonly web?: true;
  /** Every agent mails what happens through `sendmail` of the runtime folder, which a test puts there. */
  readonly notify?: boolean;
  /**
   * Every agent tells everything three ways: a mail and a program by stand-ins of the runtime folder
   * (`sendmail`, `told`) that a test puts there, and a webhook of the client's place, port 7670.
   */
  readonly channels?: true;
  /** So many descriptors each agent may have. */
  readonly descriptors?: number;
  /** So many servers more behind each HAProxy, a hundred a backend, unchecked and without traffic. */
  readonly bulk?: number;
  /** So many certificates more on every host's TLS listener, each with a name of its own. */
  readonly more?: number;
  /**
   * Whom the agents become, with the default gateways for witnesses; absent: they stay root, as
   * they must without root outside, and have the same witnesses by name.
   */
  readonly user?: string;
  /** An agent that has ended, however it did, is started again after so long, ms, as daemon(8) does. */
  readonly daemonMs?: number;
  /** That user sees no process of others, as where `security.bsd.see_other_uids` is 0. */
  readonly hidden?: boolean;
  /** Root takes configurations that an admin has signed. */
  readonly deploy?: true;
  /** The hosts run from what `proxyctl setup` writes. */
  readonly setup?: boolean;
  /** policy.icmp of the agents; absent: the product's own. */
  readonly icmp?: 'ping';
  /** The nodes whose agent is another program than the lab's own. */
  readonly agents?: Readonly<Record<string, AgentProgram>>;
  /** Every agent has this bug of test/chaos/bugs.ts in it. */
  readonly bug?: string;
  /** Agents and proxyctl are those of the package, unpacked, not this checkout's. */
  readonly asPackaged?: boolean;
}

/** A certificate of a host's TLS listener. */
export interface Site {
  readonly path: string;
  readonly servername: string;
}

/** One FreeBSD host of the lab and where its files lie. */
export interface HostPlan {
  readonly node: string;
  readonly namespace: string;
  readonly address4: string;
  readonly address6: string;
  readonly advskew: number;
  readonly folder: string;
  /** What the host has below /, in a lab that runs from what `proxyctl setup` writes. */
  readonly root: string;
  readonly carpConfig: string;
  readonly agentConfig: string;
  readonly agentSocket: string;
  readonly haproxyConfig: string;
  readonly statsSocket: string;
  readonly certPath: string;
  readonly more: readonly Site[];
  readonly stateDir: string;
  readonly log: string;
  /** Every HAProxy of the lab, for the peers that share stick tables. */
  readonly haproxys: readonly { readonly node: string; readonly address: string }[];
}

/** Names, addresses and paths of one lab; nothing of it exists yet. */
export interface LabPlan extends LabOptions {
  /** Short, because HAProxy refuses socket paths over 97 characters. */
  readonly runtime: string;
  /** The root under which the package lies; null: the lab runs from the checkout. */
  readonly unpacked: string | null;
  /** The file that Node runs as proxyctl. */
  readonly proxyctl: string;
  readonly hosts: readonly HostPlan[];
  readonly switchNamespace: string;
  readonly client: string;
  readonly backends: string;
  readonly vips: readonly Vip[];
  /** Of the first vhid. */
  readonly vip4: string;
  readonly vip6: string;
}

/** One vhid of the lab, as every host has it. */
export interface Vip {
  readonly vhid: number;
  readonly vip4: string;
  readonly vip6: string;
}

export const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url));
export const PREFIX4 = '10.1.60.';
export const PREFIX6 = 'fd5e:d1c2:c9de:60::';
export const VHID = 1;
/** The one interface of every host, as FreeBSD and as Linux call it. */
export const INTERFACE = { freebsd: 'vtnet0', linux: 'eth0' } as const;
/** Every host of the switch that is no HAProxy host: last part of its addresses; `vip` is the first's. */
export const PLACES = { client: '1', backends: '100', vip: '200', witness: '254' } as const;
/** The certificate of the sites on a host that runs from what `proxyctl setup` writes. */
export const SITE = '/usr/local/etc/ssl/example.net.pem';
/** Where the client's place answers the webhook of a lab with `channels`, with hook.pem and hook.key. */
export const HOOK = { address: `${PREFIX4}${PLACES.client}`, port: 7670 } as const;
/** Answers ping from the client's side of the switch, as a gateway would; with its length. */
export const WITNESS = [`${PREFIX4}${PLACES.witness}/24`, `${PREFIX6}${PLACES.witness}/64`];
/** While it exists the agent's wall clock is ahead by the seconds in it. */
export const clockFile = ({ folder }: HostPlan): string => join(folder, 'clock');
/** Its other certificates as a crt-list, where they are too many for a line. */
export const moreList = ({ folder }: HostPlan): string => join(folder, 'more.list');
/** While it exists an agent that starts may leave core files. */
export const coresFile = ({ folder }: HostPlan): string => join(folder, 'cores');

/** Where the lab of this name keeps its files, for this user. */
export const runtimeOf = (name: string): string => join(tmpdir(), `${name}-${userInfo().uid}`);

/** `runtime` is given inside a user namespace, where this user has another number. */
export function planLab(options: LabOptions, runtime = runtimeOf(options.name)): LabPlan {
  const { name } = options;
  const unpacked = options.asPackaged === true ? join(runtime, 'package') : null;
  return {
    ...options,
    runtime,
    unpacked,
    proxyctl:
      unpacked === null
        ? join(CHECKOUT, 'dist/bin/proxyctl.cjs')
        : join(unpacked, PREFIX, 'bin/proxyctl'),
    hosts: Array.from({ length: options.nodes }, (_, at) => host(options, runtime, at)),
    switchNamespace: `${name}-net`,
    client: `${name}-client`,
    backends: `${name}-backends`,
    vips: Array.from({ length: options.addresses ?? 1 }, (_, at) => vip(at)),
    vip4: vip(0).vip4,
    vip6: vip(0).vip6,
  };
}

/** Downwards from the first: the hosts' own addresses are above it. */
function vip(at: number): Vip {
  const last = Number(PLACES.vip) - at;
  return { vhid: VHID + at, vip4: `${PREFIX4}${last}`, vip6: `${PREFIX6}${last}` };
}

const nodeOf = (at: number): string => `haproxy0${at + 1}`;

function host({ name, nodes, setup, more = 0 }: LabOptions, runtime: string, at: number): HostPlan {
  const node = nodeOf(at);
  const folder = join(runtime, node);
  const root = join(folder, 'root');
  const last = String(201 + at);
  return {
    node,
    namespace: `${name}-${node}`,
    address4: `${PREFIX4}${last}`,
    address6: `${PREFIX6}${last}`,
    advskew: at * 100,
    folder,
    root,
    carpConfig: join(folder, 'carp.json'),
    agentConfig: join(folder, 'agent.toml'),
    agentSocket: join(folder, 'agent', 'agent.sock'),
    haproxyConfig: join(folder, 'haproxy.conf'),
    statsSocket: join(folder, 'haproxy.sock'),
    certPath: setup === true ? join(root, SITE) : join(folder, 'site.pem'),
    more: Array.from({ length: more }, (_, one) => ({
      path: join(folder, `more-${one + 1}.pem`),
      servername: `more-${one + 1}.example.net`,
    })),
    stateDir: join(folder, 'state'),
    log: join(folder, 'agent.log'),
    haproxys: Array.from({ length: nodes }, (_, one) => ({
      node: nodeOf(one),
      address: `${PREFIX4}${201 + one}`,
    })),
  };
}
