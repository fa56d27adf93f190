/** How bad: it does not work or will not (`fail`), it bites later (`warn`), it could not be looked at (`unknown`). */
type Severity = 'fail' | 'warn' | 'unknown';

/** One thing to change on one node. */
export interface Remedy {
  readonly node: string;
  /** Null: `text` is a command. */
  readonly file: string | null;
  /** Where in the file: a line number, or a place in words; null where the file has one place for it. */
  readonly line: string | null;
  readonly text: string;
}

/** One thing `proxyctl doctor` says; docs/alerts.md lists the ids. */
export interface Finding {
  readonly id: string;
  readonly severity: Severity;
  /** VHID@NETWORK; null where it is not about one address. */
  readonly address: string | null;
  readonly nodes: readonly string[];
  /** The evidence, one sentence each. */
  readonly saw: readonly string[];
  readonly why: string;
  readonly do: readonly Remedy[];
}

/** What `proxyctl doctor` asks. */
export interface DoctorAsk {
  /** ADDRESS ids or bare vhids; empty: everything. */
  readonly addresses: readonly string[];
  /** Empty: all. */
  readonly nodes: readonly string[];
}

/** What an agent answers. */
export interface DoctorAnswer {
  readonly node: string;
  readonly findings: readonly Finding[];
  /** Every configured node; `problem` says why one was not inspected, else it is empty. */
  readonly nodes: readonly { readonly node: string; readonly problem: string }[];
  /** What is so, should be known, and is no fault by itself; a sentence each. */
  readonly notes: readonly string[];
}

/** A finding of one check, with what it is about: the same on several nodes becomes one. */
export interface Found extends Finding {
  readonly about: string;
}

const ORDER: readonly Severity[] = ['fail', 'warn', 'unknown'];

/** One finding for each id, address and subject, worst first, then by id; nodes and evidence put together. */
export function merged(found: readonly Found[]): Finding[] {
  const byKey = new Map<string, Found>();
  for (const one of found) {
    const key = [one.id, one.severity, one.address ?? '', one.about].join('\n');
    const before = byKey.get(key);
    if (before === undefined) byKey.set(key, one);
    else
      byKey.set(key, {
        ...before,
        nodes: [...new Set([...before.nodes, ...one.nodes])],
        saw: [...new Set([...before.saw, ...one.saw])],
        do: [...before.do, ...one.do.filter((remedy) => !isIn(remedy, before.do))],
      });
  }
  return [...byKey.values()]
    .map(({ id, severity, address, nodes, saw, why, do: remedies }) => ({
      id,
      severity,
      address,
      nodes,
      saw,
      why,
      do: remedies,
    }))
    .sort(
      (a, b) =>
        ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity) ||
        (a.id < b.id ? -1 : Number(a.id > b.id)),
    );
}

const isIn = (one: Remedy, list: readonly Remedy[]): boolean =>
  list.some(
    ({ node, file, line, text }) =>
      node === one.node && file === one.file && line === one.line && text === one.text,
  );
