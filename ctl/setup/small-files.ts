/** Files of `name="value"` or `name=value` lines in which one line is ours. */

/** /boot/loader.conf with the CARP module loaded at boot. */
export const mergeLoaderConf = (before: string): string =>
  withLine(before, /^\s*carp_load\s*=.*$/, 'carp_load="YES"');

/** /etc/sysctl.conf with the preempt that this pair wants, said even where it is the default. */
export const mergeSysctlConf = (before: string, preempt: boolean): string =>
  withLine(
    before,
    /^\s*net\.inet\.carp\.preempt\s*=.*$/,
    `net.inet.carp.preempt=${preempt ? 1 : 0}`,
  );

/** The last line that matches becomes this one, or it is added; all other lines stay. */
function withLine(before: string, which: RegExp, wanted: string): string {
  const lines = before === '' ? [] : before.replace(/\n$/, '').split('\n');
  const at = lines.findLastIndex((line) => which.test(line));
  if (at < 0) lines.push(wanted);
  else if (lines[at]?.trim() !== wanted) lines[at] = wanted;
  return `${lines.join('\n')}\n`;
}
