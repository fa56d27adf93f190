import { spawnSync } from 'node:child_process';
import test, { type ExecutionContext } from 'ava';
import { scriptedTools } from '../carp/tools.ts';
import { fixture } from '../fixture.ts';
import { SCRIPT } from './tools.ts';

// What helper.sh answered under the sh of 12.1, asked again of today's: the requests follow from the
// answers, for they were not written down.

const VTNET1 = fixture('freebsd-12.1/ifconfig-12.1-one-vhid-backup.txt');
const IFCONFIG = `case $1 in
vtnet1) cat <<'EOF'
${VTNET1}EOF
;;
lo0) echo 'lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> metric 0 mtu 16384' ;;
*) echo "ifconfig: interface $1 does not exist" >&2; exit 1 ;;
esac`;

/** The answers to these lines, with ifconfig where FreeBSD has it. */
function answers(t: ExecutionContext, requests: readonly string[]): string[] {
  const { tools } = scriptedTools(t, { ifconfig: IFCONFIG });
  const args = [SCRIPT, tools.ifconfig, tools.sysctl, '/bin/false', '', '', '', tools.ngctl];
  const input = requests.map((one) => `${one}\n`).join('');
  const { stdout } = spawnSync('/bin/sh', args, { input, encoding: 'utf8' });
  return stdout.replaceAll(tools.ifconfig, '/sbin/ifconfig').split('\n').slice(0, -1);
}

/** The lines under a heading that are answers. */
const under = (text: string, heading: string): string[] =>
  (text.split(`${heading}\n`)[1] ?? '')
    .split(/^(?:###|---|rc=)/m)[0]
    ?.split('\n')
    .filter((line) => /^\d+ (ok|refused|failed)/.test(line)) ?? [];

test('e11: acts, a request cut short and a vhid that is not there', (t) => {
  const seen = under(fixture('freebsd-12.1/traces/e11.txt'), '### helper.sh under FreeBSD sh');
  t.is(seen.length, 9);
  const requests = [
    '1 advskew vtnet1 1 254',
    '2 state vtnet1 1',
    '3 state vtnet1 1 backup',
    '4 advskew vtnet1 9 0',
    '5 allow 0',
    '6 allow 1',
    '7 advertise',
    '8 advskew vtnet1 1 254 state vtnet1 1 backup',
  ];
  t.deepEqual(answers(t, requests), seen);
});

test('every refusal in its words', (t) => {
  const seen = under(fixture('freebsd-12.1/helper-12.1-session.txt'), '--- acts');
  t.is(seen.length, 15);
  const requests = [
    '1 advskew vtnet1 1 254 state vtnet1 1 backup',
    '2 advskew vtnet1 1 255',
    '3 advskew vtnet1 1 -1',
    '4 advskew vtnet1 2 0',
    '5 advskew nosuch0 1 0',
    '6 advskew lo0 1 0',
    '7 vrrpprio vtnet1 1 10',
    '8 state vtnet1 1 init',
    '9 allow 2',
    '10 allow',
    '11 bogus',
    '12 advertise now',
    '13 pf-info now',
    '14 advertise; reboot',
  ];
  t.deepEqual(answers(t, requests), seen);
});
