import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes timeout and head into FOLDER, with the habits of FreeBSD's that differ from Linux's:
 * timeout(1) adopts what its command leaves running, waits for it, kills it at its limit, and now
 * and then misses the end of a command that ends very soon; head(1) takes more from a pipe than it
 * prints. Seen on 12.1.
 */
export function writeBaseTools(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'timeout'), TIMEOUT, { mode: 0o755 });
  writeFileSync(join(folder, 'head'), HEAD, { mode: 0o755 });
}

/**
 * prctl(PR_SET_CHILD_SUBREAPER) in procctl(PROC_REAP_ACQUIRE)'s place. In a PID namespace of its own
 * /proc may be the outer one's: NSpid has the number that kill(2) takes. One call in four misses,
 * not one in a hundred, so that a test sees it.
 */
const TIMEOUT = `#!/usr/bin/perl
my ($foreground, $signal) = (0, 'TERM');
while (@ARGV and $ARGV[0] =~ /^-/) {
  my $flag = shift;
  if ($flag eq '--foreground') { $foreground = 1 }
  elsif ($flag eq '-s') { $signal = shift }
  else { print STDERR "timeout: illegal option $flag\\n"; exit 125 }
}
my $limit = shift;
my ($prctl) = (qx(uname -m) =~ /aarch64/ ? 167 : 157);
syscall($prctl, 36, 1, 0, 0, 0) unless $foreground;
my $child = fork;
if ($child == 0) { exec { $ARGV[0] } @ARGV; exit 127 }
my ($end, $code, $late) = (time + $limit, 0, 0);
select undef, undef, undef, 0.02;
if ($$ % 4 == 0 and waitpid($child, 1) == $child) { sleep $limit; exit 0 }
while ((my $ended = waitpid(-1, 1)) != -1) {
  if ($ended == $child) { $code = $?; last if $foreground }
  next if $ended;
  if (!$late and time >= $end) { $late = 1; kill $signal, descendants() }
  select undef, undef, undef, 0.005;
}
exit($late ? ($signal eq 'KILL' ? 137 : 124) : $code & 127 ? 128 + ($code & 127) : $code >> 8);

sub descendants {
  my (%below, %inner);
  for my $status (glob '/proc/[0-9]*/status') {
    open my $file, '<', $status or next;
    my $text = join '', <$file>;
    my ($pid) = $status =~ /(\\d+)/;
    push @{$below{$1}}, $pid if $text =~ /^PPid:\\s+(\\d+)/m;
    $inner{$pid} = $1 if $text =~ /^NSpid:.*?(\\d+)$/m;
  }
  my @all = @{$below{readlink '/proc/self'} || []};
  for (my $at = 0; $at < @all; $at++) { push @all, @{$below{$all[$at]} || []} }
  return map { $inner{$_} } @all;
}
`;

const HEAD = `#!/usr/bin/perl
my ($flag, $left) = @ARGV;
if ($flag ne '-c') { print STDERR "head: only -c here\\n"; exit 1 }
while ($left > 0 and sysread(STDIN, my $block, 4096)) {
  my $some = substr $block, 0, $left;
  syswrite STDOUT, $some;
  $left -= length $some;
}
`;
