import type { Remedy } from './finding.ts';
import type { CarpFacts, VhidFacts } from './inspection.ts';

export const RC = '/etc/rc.conf';

/** The value of an alias line that gives a vhid one more address. */
export const aliasOf = ({ vhid, advskew, base }: VhidFacts, vip: string): string => {
  const [family, length] = vip.includes(':') ? ['inet6', 128] : ['inet', 32];
  return `${family} vhid ${vhid} advskew ${base ?? advskew} pass PASSWORD alias ${vip}/${length}`;
};

/** The line of rc.conf with one word changed; where none was found, the words to look for. */
export function rcRemedy(
  node: string,
  { rc }: CarpFacts,
  { interface: on, vhid }: VhidFacts,
  word: string,
  value: string,
): Remedy {
  const line = rc.find((one) => one.interface === on && one.vhid === vhid);
  if (line === undefined)
    return {
      node,
      file: RC,
      line: `in each ifconfig_${on}_alias with vhid ${vhid}`,
      text: `${word} ${value}`,
    };
  const pattern = new RegExp(`\\b${word} \\S+?(?=[\\s"'])`);
  const text = pattern.test(line.text)
    ? line.text.replace(pattern, `${word} ${value}`)
    : line.text.replace(`vhid ${vhid}`, `vhid ${vhid} ${word} ${value}`);
  return { node, file: line.file, line: String(line.line), text };
}
