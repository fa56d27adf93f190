import type { Found, Remedy } from './finding.ts';
import { known, type Inspection, type StateFileFacts } from './inspection.ts';
import { FEW } from './no-check.ts';

/**
 * HAProxy's own state file (`load-server-state-from-file`): one that is not there, that HAProxy
 * cannot use, that is older than what servers were told since, or that names servers that are gone.
 */
export const stateFiles = (inspections: readonly Inspection[]): Found[] =>
  inspections.flatMap((one) => {
    const files = known(one.stateFiles) ?? [];
    return [
      ...unusable(one, files),
      ...files.filter(({ savedAtStart }) => !savedAtStart).flatMap((file) => outdated(one, file)),
    ];
  });

/**
 * Of files that were saved when HAProxy was last reloaded: most likely they are saved at each reload,
 * and what they say meanwhile is no fault.
 */
export const stateFileNotes = ({ node, stateFiles: fact }: Inspection): string[] =>
  (known(fact) ?? []).flatMap(({ path, savedAtStart, back, backs }) => {
    if (!savedAtStart || backs === 0) return [];
    const what = `${path} was saved when HAProxy last began; a reload before which it is not`;
    return [`${node}: ${what} saved again brings back ${broughtBack(back, backs)}`];
  });

function unusable(inspection: Inspection, files: readonly StateFileFacts[]): Found[] {
  const bad = files.filter(({ problem }) => problem !== '');
  if (bad.length <= FEW) return bad.map((file) => ofOne(inspection, file));
  const names = bad.slice(0, FEW).map(({ path }) => path);
  return [
    {
      ...finding(inspection.node, ''),
      saw: [
        `${inspection.node}: ${bad.length} state files of HAProxy cannot be used: ` +
          `${names.join(', ')}, ${bad.length - FEW} more`,
      ],
      why: NOT_KEPT,
      do: bad.slice(0, FEW).map((file) => save(inspection, file)),
    },
  ];
}

const NOT_KEPT = 'A reload begins with what haproxy.conf says: what servers were told is not kept.';

const finding = (node: string, about: string) => ({
  id: 'haproxy-state-file',
  about,
  severity: 'warn' as const,
  address: null,
  nodes: [node],
});

function ofOne(inspection: Inspection, file: StateFileFacts): Found {
  const { node } = inspection;
  const { path, problem, missing, backends } = file;
  return {
    ...finding(node, `${path} ${problem}`),
    saw: [
      missing
        ? `${node}: ${path} is not there, and servers of ${backends.join(', ')} begin with it`
        : `${node}: HAProxy cannot use ${path}: ${problem}`,
    ],
    why: NOT_KEPT,
    do: [save(inspection, file)],
  };
}

function outdated(inspection: Inspection, file: StateFileFacts): Found[] {
  const { node } = inspection;
  const { path, writtenAt, back, backs, gone, goners } = file;
  const old: Found = {
    ...finding(node, `${path} old`),
    saw: [`${node}: ${path} is of ${writtenAt}; it would bring back ${broughtBack(back, backs)}`],
    why: 'A reload begins with it. The agents undo what they were asked for, and the rest stays so.',
    do: [save(inspection, file)],
  };
  const stray: Found = {
    ...finding(node, `${path} gone`),
    saw: [`${node}: ${path} names servers that are gone: ${gone.join(', ')}${more(goners)}`],
    why: 'A server that gets such a name begins with the state and weight of the one before it.',
    do: [save(inspection, file)],
  };
  return [...(backs > 0 ? [old] : []), ...(goners > 0 ? [stray] : [])];
}

/** "WEB/web1 ready (is drain), WEB/web2 weight 3 (is weight 1), 2 more" */
const broughtBack = (back: StateFileFacts['back'], count: number): string =>
  back
    .map(({ backend, server, is, brings }) => `${backend}/${server} ${brings} (is ${is})`)
    .join(', ') + more(count);

const more = (count: number): string => (count > FEW ? `, ${count - FEW} more` : '');

function save({ node, level }: Inspection, { path, of }: StateFileFacts): Remedy {
  const socket = known(level)?.path ?? '/var/run/haproxy.sock';
  const ask = of === null ? 'show servers state' : `show servers state ${of}`;
  const text = `echo "${ask}" | nc -U ${socket} > ${path}   # before each reload`;
  return { node, file: null, line: null, text };
}
