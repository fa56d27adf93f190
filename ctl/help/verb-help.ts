import { wrapped } from '../render/wrapped.ts';

/** What the help of a verb says besides its options. */
export interface VerbHelp {
  /** Whole sentences; the summary of the list stays as it is. Absent: as the verb has them. */
  readonly says?: string;
  readonly examples: readonly string[];
  /** Codes of its own, or those that matter; the general ones stand in `proxyctl --help`. */
  readonly exits: string;
}

const READING = '0 answered, 10 no agent was reached.';
const ACTING = '0 done or already so, 3 --dry-run would change something, 5 unsafe: needs';
const ON_NODES = `${ACTING} --accept-risk, 6 on some nodes only, 8 no such target, 9 changed meanwhile.`;
const MOVING = `${ACTING} --accept-risk, 8 no such address, 9 changed meanwhile, 10 the other agent does not answer.`;
const DRILLED =
  '0 passed, 1 did not pass and all is as before, 3 --dry-run sees no risk, 5 or 9 not now, 7 not everything is as before, 10 an agent does not answer.';
const WRITTEN = '0 done, 1 failed with nothing changed, 2 something of it is wrong.';

/** By the words of the verb. */
export const VERB_HELP: Readonly<Record<string, VerbHelp>> = {
  status: {
    says: 'Shows the addresses and who has them, the nodes, alerts with what to do, what is drained, and the last decision.',
    examples: ['status', 'status --watch', 'status --check || mail -s proxyctl root'],
    exits:
      '0 it was read, even with two MASTERs, 3 with --check: not all is well, 10 no agent was reached.',
  },
  top: {
    examples: ['top', 'top --context web'],
    exits: '0 you quit, 2 there is no terminal, 10 no agent was reached.',
  },
  explain: {
    says: 'Says why each address is where it is, how the nodes compare, and what would move it. An address is VHID@NETWORK, its vhid, or one of its IPs.',
    examples: ['explain', 'explain 1@wan', 'explain 10.1.60.200'],
    exits: `${READING.slice(0, -1)}, 8 no such address.`,
  },
  history: {
    says: 'Shows where the addresses have been, when they moved and why, the newest last. An address is VHID@NETWORK, its vhid, or one of its IPs.',
    examples: ['history', 'history 1@wan --limit 0', 'history --since 1d'],
    exits: `${READING.slice(0, -1)}, 8 no such address.`,
  },
  events: {
    says: 'Shows what happened on both nodes, the newest last: moves, drains, certificates, alerts, starts and ends. --follow goes on.',
    examples: ['events --since 1h', 'events --kind moved --follow -o json'],
    exits: '0 answered, 6 a node did not answer, 10 none did.',
  },
  audit: {
    examples: ['audit --since 1h', 'audit --who anna --follow'],
    exits: '0 answered, 4 not your role, 6 a node did not answer, 10 none did.',
  },
  doctor: {
    examples: ['doctor', 'doctor --node haproxy02 -o json'],
    exits: '0 nothing was found, 3 findings, 10 no agent was reached.',
  },
  diff: {
    examples: ['diff', 'diff certificates'],
    exits:
      '0 the same everywhere, 3 something differs or a node did not answer, 10 no agent was reached.',
  },
  'config diff': {
    examples: ['config diff', 'config diff haproxy.conf', 'config diff conf.d -o json'],
    exits:
      '0 the same, or only comments, spacing and names of nodes differ, 2 FILE cannot be read, 3 something differs or a node was not read, 10 no agent was reached.',
  },
  'config check': {
    examples: ['config check haproxy.conf', 'config check conf.d -o json'],
    exits:
      '0 every node takes it, 1 one does not, 2 FILE cannot be read or the context has no key, 4 the role is not admin, 6 a node did not answer, 10 no agent was reached.',
  },
  'config push': {
    examples: [
      'config push haproxy.conf --dry-run',
      'config push haproxy.conf --reason "maxconn 4000"',
    ],
    exits:
      '0 every node has it, or had it, 1 not pushed and every node is as before, 3 --dry-run: it would change something, 5 changed by hand: --accept-risk=local-changes, 6 a node was lost in between and catches up, 7 a node did not confirm that it is as before, 9 another push is under way, 10 a node does not answer.',
  },
  'config history': {
    examples: ['config history', 'config history -o json'],
    exits: READING,
  },
  'config show': {
    examples: ['config show --node haproxy02', 'config show -o json'],
    exits: `${READING.slice(0, -1)}, 8 no such node.`,
  },
  'notify test': {
    says: 'Sends a message through each target of [[notify]], on each node, and says what came of it.',
    examples: ['notify test', 'notify test mail'],
    exits:
      '0 all were sent, 1 none was, 4 not your role, 6 some were not or a node did not answer, 10 no agent was reached.',
  },
  failover: {
    says: 'Brings addresses to another node and keeps them there until failback. Should that node or its HAProxy die, another one serves, and the address returns later. A move cuts the sessions on the host it leaves. An address is VHID@NETWORK, its vhid, or one of its IPs.',
    examples: [
      'failover --dry-run',
      'failover --vhid 1 --reason "kernel update"',
      'failover --to haproxy02 --until 2h',
      'failover --by-hand',
    ],
    exits: MOVING,
  },
  failback: {
    says: 'Lifts what failover pinned, and brings the addresses to the preferred node.',
    examples: ['failback', 'failback --vhid 10.1.60.200 --dry-run'],
    exits: MOVING,
  },
  'drill failover': {
    says: 'Moves the addresses of a node to the other one and back, on the pair itself, and measures from this machine what clients see of it. Ends at once where they wait too long; everything is put back whatever happens.',
    examples: [
      'drill failover --dry-run',
      'drill failover --yes --max-outage 300ms --report drill.json',
      'drill failover --probe https://www.example.net/health',
    ],
    exits: DRILLED,
  },
  'drill haproxy': {
    says: 'Rehearses that HAProxy stops serving on one node: its frontends are closed, or counted as closed, the agents bring the addresses to the other node, and all is put back whatever happens. Measures from this machine what clients see.',
    examples: ['drill haproxy --dry-run', 'drill haproxy --yes --by health --max-outage 300ms'],
    exits: DRILLED,
  },
  'drill agent': {
    says: 'Rehearses that an agent ends: daemon(8) starts it again, and no address moves meanwhile. The agent of another node is asked to watch. Measures from this machine what clients see.',
    examples: ['drill agent --dry-run', 'drill agent --node haproxy01 --yes'],
    exits: DRILLED,
  },
  'maintenance on': {
    says: 'Takes all addresses from a node and gives it none until maintenance off; a reboot does not lift it.',
    examples: ['maintenance on haproxy01 --reason "new disk" --until 18:00'],
    exits: ON_NODES,
  },
  'maintenance off': {
    says: 'Lets a node take addresses again.',
    examples: ['maintenance off haproxy01'],
    exits: ON_NODES,
  },
  pause: {
    says: 'Stops every move that nobody asked for, on all nodes: rescues too. What operators ask for is still done.',
    examples: ['pause --until 30m --reason "switch upgrade"'],
    exits: ON_NODES,
  },
  resume: {
    says: 'Lets the agents move addresses by themselves again.',
    examples: ['resume'],
    exits: ON_NODES,
  },
  servers: {
    examples: ['servers', 'servers WEB --watch'],
    exits: `${READING.slice(0, -1)}, 8 no such backend.`,
  },
  drain: {
    examples: [
      'drain WEB/web1 --wait --timeout 10m --reason "kernel update"',
      'drain WEB --dry-run',
      'drain --host 10.1.70.11 --reason "new disk"',
      "drain 'WEB*/web1' --yes",
    ],
    exits: ON_NODES,
  },
  ready: { examples: ['ready WEB/web1', 'ready --host 10.1.70.11'], exits: ON_NODES },
  maint: {
    examples: ['maint WEB/web1 --until 18:00', 'maint --host 10.1.70.11 --dry-run'],
    exits: ON_NODES,
  },
  weight: { examples: ['weight WEB/web1 50%', 'weight WEB/web1 reset'], exits: ON_NODES },
  haproxy: {
    examples: ['haproxy show info', 'haproxy show table LOGIN'],
    exits: `${READING.slice(0, -1)}, 2 not among the commands that are passed on, 4 not your role.`,
  },
  'cert push': {
    says: 'Installs PEM bundles (certificate, chain and key; - is standard input) on every node, proven by a handshake, or on none.',
    examples: [
      'cert push www.pem --dry-run',
      'cert push fullchain.pem --key privkey.pem --as /ssl/www.pem',
    ],
    exits: MOVING.replace('address', 'certificate'),
  },
  'cert rollback': {
    says: 'Puts the bundle before the last push back, on every node or on none.',
    examples: ['cert rollback /usr/local/etc/ssl/www.pem'],
    exits: MOVING.replace('address', 'certificate'),
  },
  'cert list': {
    says: 'Shows every certificate of every node: on disk, in memory, as clients get it, and when it ends.',
    examples: ['cert list', 'cert list -o json'],
    exits: READING,
  },
  'cert show': {
    examples: ['cert show www.example.net', 'cert show /usr/local/etc/ssl/www.pem'],
    exits: '0 answered, 8 no node has such a certificate, 10 no agent was reached.',
  },
  'cert verify': {
    says: 'Looks at the same as cert list, and tells by its exit code whether anything differs or has ended.',
    examples: ['cert verify'],
    exits: '0 all is as it should be, 3 it is not, 10 no agent was reached.',
  },
  'acme present': {
    says: 'Answers a challenge of an ACME CA (http-01): returns once every node does.',
    examples: ['acme present TOKEN KEYAUTH --domain www.example.net'],
    exits: ON_NODES,
  },
  'acme cleanup': {
    says: 'Stops answering a challenge, on every node.',
    examples: ['acme cleanup TOKEN'],
    exits: ON_NODES,
  },
  'acme list': {
    says: 'Shows which challenges are answered now, and until when.',
    examples: ['acme list'],
    exits: READING,
  },
  'context list': {
    says: 'Shows the contexts of config.toml; a star marks the current one.',
    examples: ['context list'],
    exits: '0 shown, 2 config.toml has mistakes.',
  },
  'context show': {
    says: 'Shows where the agents of a context are, which files it uses, and what you may do there. Nobody is asked.',
    examples: ['context show', 'context show web'],
    exits: '0 shown, 2 there is no such context, or a file of it cannot be used.',
  },
  'context import': {
    says: 'Takes what setup or pki made for you: copies the files, adds the context, and asks each agent at each of its addresses.',
    examples: [],
    exits: '',
  },
  'context add': {
    says: 'Adds a context by hand. Nobody is asked.',
    examples: [
      'context add web --agent haproxy01=10.1.60.201:7660 --ca ca.pem \\\n    --cert anna.pem --key anna.key',
    ],
    exits: WRITTEN,
  },
  'context use': {
    says: 'Makes a context the current one.',
    examples: ['context use web'],
    exits: WRITTEN,
  },
  'context remove': {
    says: 'Forgets a context. Its certificate and key stay, and are named.',
    examples: ['context remove lab'],
    exits: WRITTEN,
  },
};

/** The end of a verb's help: examples and exit codes; empty for none. */
export function helpEnd({ examples, exits }: VerbHelp): string {
  const lines = examples.map((line) => `  proxyctl ${line}`);
  return [
    ...(lines.length === 0 ? [] : ['', 'Examples:', ...lines]),
    ...(exits === '' ? [] : ['', 'Exit codes:', wrapped(`  ${exits}`, 2)]),
  ].join('\n');
}
