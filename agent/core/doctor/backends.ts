import type { Found } from './finding.ts';
import { known, type ConfigFacts, type Inspection, type Probe } from './inspection.ts';

/**
 * Servers that listen on a part of what their name or their pair of lines
 * stands for: one name with several addresses, or the same port on 127.0.0.1
 * and ::1 as pfSense writes "localhost". ACME's backends are acme.ts's.
 */
export const backends = (inspections: readonly Inspection[]): Found[] =>
  inspections.flatMap(({ node, probes, config, responder }) => {
    const facts = known(config);
    const acme = new Set((facts?.acme ?? []).map(({ backend }) => backend));
    const ours = (known(responder) ?? []).map(({ address }) => address);
    const all = (known(probes) ?? []).filter(
      ({ backend, addresses, port }) =>
        !acme.has(backend) &&
        !addresses.some(({ address }) => ours.includes(endpoint(address, port))),
    );
    if (facts === null) return [];
    return [...names(node, facts, all), ...pairs(node, facts, all)];
  });

function names(node: string, facts: ConfigFacts, probes: readonly Probe[]): Found[] {
  return probes.flatMap((probe): Found[] => {
    const { addresses, backend, server, host, port, text, line, file = facts.path } = probe;
    const answering = addresses.find(({ answers }) => answers);
    const [first] = addresses;
    if (first === undefined) return [unresolved(node, probe)];
    if (answering === undefined) return [];
    if (addresses.every(({ answers }) => answers)) return [];
    const uses = first.answers
      ? 'HAProxy takes the first address; when the name is answered in another order, all fails.'
      : 'HAProxy takes the first address a name has, and nobody listens there: every request fails.';
    return [
      {
        id: 'backend-half-listening',
        about: `${backend}/${server}`,
        severity: first.answers ? 'warn' : 'fail',
        address: null,
        nodes: [node],
        saw: [
          `${node}: ${backend}/${server} is ${host}:${port}, which is ` +
            addresses.map(({ address }) => address).join(' and '),
          ...addresses.map((one) => `${node}: ${knocked(one, port)}`),
        ],
        why: uses,
        do: [
          {
            node,
            file,
            line: String(line),
            text: withAddress(text, answering.address, port),
          },
        ],
      },
    ];
  });
}

const unresolved = (node: string, { backend, server, host }: Probe): Found => ({
  id: 'not-seen',
  about: `${backend}/${server}`,
  severity: 'unknown',
  address: null,
  nodes: [node],
  saw: [`${node}: could not look at ${backend}/${server}: ${host} has no address here`],
  why: 'What was not looked at may be well or not.',
  do: [{ node, file: null, line: null, text: `getent hosts ${host}` }],
});

/** Lines of one backend with one port and both loopback addresses, or NAME_0 and NAME_1 of both families. */
function pairs(node: string, facts: ConfigFacts, probes: readonly Probe[]): Found[] {
  return probes.flatMap((one, at) =>
    probes.slice(at + 1).flatMap((other): Found[] => {
      const refusing = [one, other].filter((probe) => !listens(probe));
      const [dead] = refusing;
      if (!isPair(one, other) || refusing.length !== 1 || dead === undefined) return [];
      return [
        {
          id: 'backend-half-listening',
          about: `${dead.backend}/${dead.server}`,
          severity: 'fail',
          address: null,
          nodes: [node],
          saw: [one, other].map(
            ({ backend, server, port, addresses }) =>
              `${node}: ${backend}/${server}: ` +
              addresses.map((knock) => knocked(knock, port)).join(', '),
          ),
          why: 'One application stands in two lines and listens in one: each second request fails.',
          do: [
            {
              node,
              file: dead.file ?? facts.path,
              line: String(dead.line),
              text: `# ${dead.text}`,
            },
          ],
        },
      ];
    }),
  );
}

const listens = ({ addresses }: Probe): boolean => addresses.some(({ answers }) => answers);

const isPair = (one: Probe, other: Probe): boolean =>
  one.backend === other.backend &&
  one.port === other.port &&
  one.host !== other.host &&
  (isLoopbackPair(one.host, other.host) ||
    // web_1 and web_2 of one family are two machines.
    (one.host.includes(':') !== other.host.includes(':') &&
      stem(one.server) !== null &&
      stem(one.server) === stem(other.server)));

const isLoopbackPair = (a: string, b: string): boolean =>
  [a, b].includes('::1') && [a, b].some((host) => host.startsWith('127.'));
const stem = (name: string): string | null => /^(.+)_\d+$/.exec(name)?.[1] ?? null;

/** "[::1]:8082 refuses (ECONNREFUSED)". */
export const knocked = (
  { address, answers, why }: Probe['addresses'][number],
  port: number,
): string => `${endpoint(address, port)} ${answers ? 'answers' : `does not answer (${why})`}`;

/** "[::1]:8082", as agent.toml writes it. */
export const endpoint = (address: string, port: number): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`;

/** The line with the third word replaced. */
const withAddress = (text: string, address: string, port: number): string =>
  text.replace(/^(\S+\s+\S+\s+)\S+/, `$1${endpoint(address, port)}`);
