import type { DoctorAnswer, Finding, Remedy } from '../../agent/core/doctor/finding.ts';
import { displayWidth, padded, proseColumns } from './width.ts';
import { wrapped } from './wrapped.ts';

const WORDS = { fail: 'FAIL', warn: 'WARN', unknown: 'UNKNOWN' } as const;

/** The screen of `proxyctl doctor`: each finding with evidence, reason and remedy. */
export function doctorScreen({ findings, nodes, notes }: DoctorAnswer): string {
  const count = findings.length;
  const all =
    count === 0
      ? [`nothing found on ${nodes.map(({ node }) => node).join(', ')}\n`]
      : findings.map((one, at) => finding(one, `${at + 1} of ${count}`));
  const told = notes.map((text) => `${hung('note  ', text, 6)}\n`).join('');
  return [...all, ...(told === '' ? [] : [told])].join('\n');
}

function finding(one: Finding, place: string): string {
  const subject = [...(one.address === null ? [] : [one.address]), ...one.nodes].join(', ');
  const title = `${WORDS[one.severity]}  ${one.id}`.padEnd(24);
  const head = printable(`${title}  ${subject}`);
  const room = proseColumns() - place.length - 2;
  const first =
    displayWidth(head) > room ? wrapped(`${head}  ${place}`, 6) : `${padded(head, room)}  ${place}`;
  const lines = [
    first,
    ...one.saw.map((text, at) => hung(at === 0 ? '  saw  ' : '       ', text)),
    hung('  why  ', one.why),
    ...remedies(one.do),
  ];
  return `${lines.join('\n')}\n`;
}

/** Equal lines of several nodes once; lines for one place under one heading, commands after `then`. */
function remedies(list: readonly Remedy[]): string[] {
  const groups = new Map<string, { nodes: string[]; remedy: Remedy }>();
  for (const remedy of list) {
    const key = [remedy.file, remedy.line, remedy.text].join('\n');
    const group = groups.get(key) ?? { nodes: [], remedy };
    group.nodes.push(remedy.node);
    groups.set(key, group);
  }
  const lines: string[] = [];
  let before = '';
  for (const { nodes, remedy } of groups.values()) {
    const label = lines.length === 0 ? 'do' : '  ';
    const where = whereOf(nodes, remedy);
    if (where !== before) lines.push(hung(`  ${label}   `, where));
    before = where;
    lines.push(hung('         ', remedy.text, 11));
  }
  return lines;
}

function whereOf(nodes: readonly string[], { file, line }: Remedy): string {
  const on = nodes.join(', ');
  if (file === null) return `on ${on}, run`;
  const place = line === null ? '' : `, ${/^\d+$/.test(line) ? `line ${line}` : line}`;
  return `${on}, ${file}${place}`;
}

/** A mark that no text holds, so that wrapping keeps the indentation. */
const GAP = '\u0001';

/** `text` behind `prefix`; what does not fit on the line is indented. */
const hung = (prefix: string, text: string, indent = 7): string =>
  wrapped(`${GAP.repeat(prefix.length)}${printable(text)}`, indent).replace(
    GAP.repeat(prefix.length),
    prefix,
  );

/** Configuration is quoted here, and may hold anything. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');
