import { peerOf, type Host, type Plan } from './plan.ts';

const BEGIN = '# BEGIN proxyctl setup';
const END = '# END proxyctl setup';
const WHOLE = '# pf.conf, written by proxyctl setup';

/** The agents' port: peers and operators, mutual TLS. */
const AGENT_PORT = 7660;

/** pf.conf of a host that has none: the rules of the pair on top of "block in, pass out". */
export function pfConf(plan: Plan, host: Host): string {
  const on = host.interface;
  const ssh =
    plan.sshFrom === null
      ? [`pass in quick on ${on} proto tcp to any port ssh`]
      : plan.sshFrom.map(
          (from) => `pass in quick on ${on} ${inetOf(from)} proto tcp from ${from} to any port ssh`,
        );
  return `${WHOLE}
set block-policy drop
set skip on lo
block in log all
pass out all

# SSH
${ssh.join('\n')}

${block(plan, host)}`;
}

/** The pair's own rules, as they are added at the end of a pf.conf that somebody else wrote. */
function block(plan: Plan, host: Host): string {
  const on = host.interface;
  const peer = peerOf(plan, host);
  const peers = peer.addresses.map(({ address }) => address);
  const from = (sources: readonly string[], port: number): string[] =>
    sources.map(
      (one) => `pass in quick on ${on} ${inetOf(one)} proto tcp from ${one} to any port ${port}`,
    );
  const operators =
    plan.operatorsFrom.length === 0
      ? ['# none: name their networks in the answers, firewall.operators']
      : from(plan.operatorsFrom, AGENT_PORT);
  return `${BEGIN}
# CARP: a host that hears no adverts becomes MASTER as well
pass quick on ${on} inet proto carp keep state (no-sync)
pass quick on ${on} inet6 proto carp keep state (no-sync)

# Ping (the agents' second path to each other) and what IPv6 needs
pass in quick on ${on} inet proto icmp icmp-type { echoreq, unreach, timex, paramprob }
pass in quick on ${on} inet6 proto icmp6 icmp6-type { echoreq, unreach, toobig, timex, paramprob, neighbradv, neighbrsol, routeradv, routersol }
pass out quick on ${on} inet proto icmp icmp-type echoreq
pass out quick on ${on} inet6 proto icmp6 icmp6-type { echoreq, neighbradv, neighbrsol }

# proxyagent and HAProxy's stick tables, from ${peer.node}
${[...from(peers, AGENT_PORT), ...from(peers, plan.peersPort)].join('\n')}

# Operators
${operators.join('\n')}

# HAProxy
pass in quick on ${on} proto tcp to any port { http, https }
${END}
`;
}

const inetOf = (source: string): string => (source.includes(':') ? 'inet6' : 'inet');

/**
 * pf.conf with the pair's rules. One that setup wrote is written again; in one
 * of somebody else only the marked block is ours, at the end, because the last
 * rule that matches decides unless an earlier one says quick.
 */
export function mergePfConf(before: string, wanted: string): string {
  if (before.trim() === '' || before.startsWith(`${WHOLE}\n`)) return wanted;
  const ours = wanted.slice(wanted.indexOf(BEGIN));
  const [from, to] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (from >= 0 && to > from)
    return before.slice(0, from) + ours + before.slice(to + END.length).replace(/^\n/, '');
  return `${before.replace(/\n*$/, '\n')}\n${ours}`;
}

/** What an administrator should look at in rules that were there before. */
export const remarksOnPf = (before: string): string[] =>
  before
    .split('\n')
    .flatMap((line, at) =>
      /^\s*block\b.*\bquick\b/.test(line)
        ? [`line ${at + 1}: ${line.trim()}: comes first if it matches what the pair needs`]
        : [],
    );
