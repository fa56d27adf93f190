import type { Certificates, ServersAnswer, Status } from '../../agent/core/answers.ts';
import { certificateFindings } from '../../agent/core/certs/certificates.ts';
import { addressesCalled } from '../../agent/core/addresses.ts';
import { addressIds, isHeard } from '../../agent/core/heard.ts';
import { compareStamps } from '../../agent/core/intents.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { kindOf } from '../../agent/core/servers/servers.ts';
import { nearest } from '../../agent/core/words.ts';
import { usage } from '../failure.ts';

/** What one look at the pair brings, as far as the conditions need it. */
export interface Look {
  readonly status: Status | null;
  readonly servers: ServersAnswer | null;
  readonly certificates: Certificates | null;
}

/** One thing to wait for. */
export interface Condition {
  /** As it was said. */
  readonly text: string;
  readonly needs: keyof Look;
  /** What is not so yet, as short sentences; empty: it holds. Throws ActFailure for what can never hold. */
  readonly missing: (look: Look) => string[];
}

const FORMS =
  'owner=NODE[,ADDRESS], serving[=NODE], drained=BACKEND[/SERVER], version=CERTIFICATE[@FINGERPRINT], converged';
const WORDS = ['owner', 'serving', 'drained', 'version', 'converged'];

/** Reads a condition of `--for`. Throws ActFailure 'usage' with the forms there are. */
export function conditionOf(text: string): Condition {
  const [, word = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  const wrong = (): never => {
    const near = WORDS.includes(word) ? null : nearest(word, WORDS);
    throw usage(
      `${JSON.stringify(text)} is nothing to wait for`,
      near === null ? `give ${FORMS}` : `did you mean ${near}? There are ${FORMS}`,
    );
  };
  if (value === '') return wrong();
  const made = (needs: keyof Look, judge: (look: Look) => string[]): Condition => ({
    text,
    needs,
    missing: judge,
  });
  switch (word) {
    case 'owner': {
      if (value === undefined) return wrong();
      const [node = '', address = null] = value.split(/,(.*)/s);
      return made('status', ({ status }) => (status === null ? [] : owned(status, node, address)));
    }
    case 'serving':
      return made('status', ({ status }) =>
        status === null ? [] : serving(status, value ?? null),
      );
    case 'drained':
      if (value === undefined) return wrong();
      return made('servers', ({ servers }) => (servers === null ? [] : drained(servers, value)));
    case 'version': {
      if (value === undefined) return wrong();
      const [name = '', print = null] = value.split(/@([0-9A-Fa-f:]{4,64}$)/);
      return made('certificates', ({ certificates }) =>
        certificates === null ? [] : sameVersion(certificates, name, print),
      );
    }
    case 'converged':
      if (value !== undefined) return wrong();
      return made('status', ({ status }) => (status === null ? [] : converged(status)));
    default:
      return wrong();
  }
}

function notFound(message: string, there: readonly string[]): ActFailure {
  const [first, ...others] = there.length > SHOWN ? [...there.slice(0, SHOWN), '...'] : there;
  const list = [first, ...others].join(', ');
  return new ActFailure('not-found', {
    code: 'not_found',
    message,
    remediation: first === undefined ? '' : `there ${others.length > 0 ? 'are' : 'is'} ${list}`,
  });
}
const SHOWN = 20;

function knownNode(status: Status, node: string): void {
  const names = status.nodes.map((one) => one.node);
  if (!names.includes(node)) throw notFound(`there is no node ${node}`, names);
}

/** Who is MASTER of an address, of the nodes that are heard. */
const masters = (status: Status, address: string): string[] =>
  status.nodes.flatMap((one) => {
    const own = isHeard(one)
      ? one.report?.addresses.find((each) => each.address === address)
      : undefined;
    return own?.state === 'MASTER' ? [one.node] : [];
  });

const whose = (nodes: readonly string[]): string =>
  nodes.length === 0 ? "nobody's" : `on ${nodes.join(' and ')}`;

function owned(status: Status, node: string, address: string | null): string[] {
  knownNode(status, node);
  const all = addressIds(status);
  if (all.length === 0) return ['no address is known on any node'];
  const wanted = address === null ? all : addressesCalled(status, address);
  if (wanted.length === 0) throw notFound(`no address is called ${address}`, all);
  if (address !== null && wanted.length > 1)
    throw usage(`${address} is on several networks`, `name one of ${wanted.join(', ')}`);
  return wanted.flatMap((id) => {
    const has = masters(status, id);
    if (has.length === 1 && has[0] === node) return [];
    return [`${id} is ${whose(has)}`];
  });
}

function serving(status: Status, node: string | null): string[] {
  if (node !== null) knownNode(status, node);
  return status.nodes
    .filter((one) => node === null || one.node === node)
    .flatMap((one) => {
      if (!isHeard(one)) return [`${one.node} is not heard`];
      return one.report?.health === 'serving'
        ? []
        : [`${one.node} is ${one.report?.health ?? 'unknown'}`];
    });
}

function drained(answer: ServersAnswer, target: string): string[] {
  const named = ({ backend, name }: { backend: string; name: string }): boolean =>
    target === backend || target === `${backend}/${name}`;
  const answered = answer.nodes.filter(({ problem }) => problem === '');
  if (answered.length > 0 && !answered.some(({ servers }) => servers.some(named)))
    throw notFound(`HAProxy has no server ${target}`, []);
  return answer.nodes.flatMap(({ node, problem, servers }) => {
    if (problem !== '') return [`${node} does not say: ${problem}`];
    return servers.filter(named).flatMap((one) => {
      const name = `${one.backend}/${one.name} on ${node}`;
      if (one.admin === 'ready' || one.admin === 'unknown') return [`${name} is ${one.admin}`];
      if (one.sessions > 0) return [`${name} has ${one.sessions} sessions`];
      return one.uncounted > 0 ? [`${name}: ${one.uncounted} older processes cannot be asked`] : [];
    });
  });
}

function sameVersion(found: Certificates, name: string, print: string | null): string[] {
  const { nodes, intents } = found;
  const names = [...new Set(nodes.flatMap((one) => one.certificates.map((each) => each.name)))];
  if (names.length > 0 && !names.includes(name))
    throw notFound(`no node has a certificate ${name}`, names);
  const wanted = print?.replaceAll(':', '').toLowerCase() ?? null;
  const away = nodes.flatMap(({ node, problem, certificates }) => {
    if (problem !== '') return [`${node} does not say: ${problem}`];
    const own = certificates.find((each) => each.name === name);
    if (own === undefined) return [`${node} has it not`];
    if (own.memory === null) return [`${node}: what HAProxy has in memory is not known`];
    return wanted !== null && !own.memory.startsWith(wanted)
      ? [`${node} has ${own.memory.slice(0, 12)}`]
      : [];
  });
  const at = { wallMs: 0, alarmDays: [], endMs: () => Number.POSITIVE_INFINITY };
  const differing = certificateFindings({ nodes, intents }, at)
    .filter((one) => one.name === name && ['disk', 'served', 'undecided', 'peer'].includes(one.id))
    .map(({ node, text }) => `${node}: ${text}`);
  return [...away, ...differing];
}

/**
 * Everybody is heard and has a working CARP, every address is where it belongs, and every wish is in
 * force on every node, what was taken back included.
 */
function converged(status: Status): string[] {
  const silent = status.nodes
    .filter((one) => !isHeard(one))
    .map(({ node }) => `${node} is not heard`);
  const moving = status.verdicts.flatMap(({ address, owner }) => {
    const has = masters(status, address);
    if (has.length === 1 && (owner === null || has[0] === owner)) return [];
    return [`${address} is ${whose(has)}${owner === null ? '' : `, and belongs to ${owner}`}`];
  });
  const parted = status.nodes
    .filter(isHeard)
    .flatMap(({ node, report }) => [
      ...(report?.fenced === true ? [`${node} is fenced`] : []),
      ...(report?.addresses ?? [])
        .filter(({ advertsLost }) => advertsLost)
        .map(({ address }) => `adverts of ${address} are lost on ${node}`),
    ]);
  const wishes = status.nodes.filter(isHeard).flatMap(({ node, report }) => {
    const applied = new Map(report?.applied.map((one) => [one.key, one]));
    return status.intents
      .filter(({ key }) => kindOf(key) !== null)
      .flatMap(({ key, stamp, deleted }) => {
        const own = applied.get(key);
        // A new process has what was taken back without a word.
        if (deleted && (own === undefined || own.problem === '')) return [];
        const name = key.replace(/^(\w+)\/+/, '$1 ');
        if (own === undefined || compareStamps(own.stamp, stamp) !== 0)
          return [`${name} is not in force on ${node} yet`];
        return own.problem === '' ? [] : [`${name} on ${node}: ${own.problem}`];
      });
  });
  return [...silent, ...parted, ...moving, ...wishes];
}
