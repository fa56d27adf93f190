import type { Remedy } from './finding.ts';
import type { CarpFacts, RcLine, VhidFacts } from './inspection.ts';
import { rcName } from './rc-vhids.ts';

export const RC = '/etc/rc.conf';

/** The value of an alias line that gives a vhid one more address. */
export const aliasOf = ({ vhid, advskew, base }: VhidFacts, vip: string): string => {
  const [family, length] = vip.includes(':') ? ['inet6', 128] : ['inet', 32];
  return `${family} vhid ${vhid} advskew ${base ?? advskew} pass PASSWORD alias ${vip}/${length}`;
};

/** A line that gives an interface one more address, to be numbered by the administrator. */
export const aliasRemedy = (node: string, on: string, value: string): Remedy => ({
  node,
  file: RC,
  line: 'behind the other aliases, the next number for N',
  text: `ifconfig_${rcName(on)}_aliasN="${value}"`,
});

/** Where in rc.conf a vhid is made, in words. */
export const inEachAlias = (on: string, vhid: number | string): string =>
  `in each ifconfig_${rcName(on)}_alias with vhid ${vhid}`;

/**
 * The lines of rc.conf that make this vhid, each with one word changed in what is said of it alone:
 * of several lines ifconfig(8) takes the word of the last. Where none is known, the words to look for.
 */
export function rcRemedy(
  node: string,
  { rc }: CarpFacts,
  { interface: on, vhid }: VhidFacts,
  word: string,
  value: string,
): Remedy[] {
  const lines = rc.filter((one) => rcName(one.interface) === rcName(on) && one.vhid === vhid);
  if (lines.length === 0)
    return [{ node, file: RC, line: inEachAlias(on, vhid), text: `${word} ${value}` }];
  return lines.map((one) => ({
    node,
    file: one.file,
    line: linesOf(one),
    text: changed(one.text, vhid, word, value),
  }));
}

/** "7", or "7-9" of a variable that goes over several lines. */
export const linesOf = ({ line, end }: Pick<RcLine, 'line' | 'end'>): string =>
  end > line ? `${line}-${end}` : String(line);

/** One variable may have the addresses of several vhids; each begins with its family. */
function changed(text: string, vhid: number, word: string, value: string): string {
  const own = new RegExp(String.raw`\bvhid\s+${vhid}(?!\d)`);
  const pattern = new RegExp(String.raw`(?<![\w-])${word}\s+[^\s"'\\]+`);
  return text
    .split(/(?<=[\s"'])(?=inet6?\s)/)
    .map((part) => {
      if (!own.test(part)) return part;
      return pattern.test(part)
        ? part.replace(pattern, `${word} ${value}`)
        : part.replace(own, `vhid ${vhid} ${word} ${value}`);
    })
    .join('');
}
