/**
 * The part of pf.conf(5)'s grammar that setup writes. Gives each line that does
 * not fit, or stands after what must follow it; an empty list for a good file.
 */
export function pfProblems(text: string): string[] {
  const problems: string[] = [];
  let seen = 0;
  for (const [at, line] of text.split('\n').entries()) {
    const rule = line.replace(/#.*/, '').trim();
    if (rule === '') continue;
    const kind = KINDS.findIndex((one) => one.test(rule));
    if (kind < 0) problems.push(`${at + 1}: ${rule}`);
    // Options come before filter rules (pf.conf(5), "STATEMENT ORDER").
    else if (kind < seen) problems.push(`${at + 1}: too late: ${rule}`);
    else seen = kind;
  }
  return problems;
}

const name = '[a-z][a-z0-9_.]*';
const words = `\\{ ${name}(?:, ${name})* \\}`;
const address = '[0-9a-f.:]+(?:/\\d+)?';
const port = `(?: port (?:\\d+|${name}|${words}))?`;
const hosts = `(?: from (?:any|${address}))?(?: to (?:any|${address})${port})?`;
const icmp = `(?:inet proto icmp icmp-type|inet6 proto icmp6 icmp6-type) (?:${name}|${words})`;
const KINDS: readonly RegExp[] = [
  /^set (?:block-policy (?:drop|return)|skip on lo)$/,
  new RegExp(
    `^(?:block in log all|pass out all|pass(?: in| out)?(?: quick)? on ${name} ` +
      `(?:${icmp}|inet6? proto carp keep state \\(no-sync\\)|(?:inet6? )?proto tcp${hosts}))$`,
  ),
];
