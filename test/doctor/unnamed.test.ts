import test from 'ava';
import { diagnose } from '../../agent/core/doctor/diagnose.ts';
import { certificate, pairwise, well } from './inspections.ts';

test('a certificate that HAProxy has loaded and no file names: what happens at its next start', (t) => {
  const path = '/usr/local/etc/ssl/left.pem';
  const left = certificate({ path, keyFile: path, unnamed: true });
  t.deepEqual(
    diagnose(
      [well('haproxy01', { certificates: [certificate(), left] }), well('haproxy02')],
      pairwise(),
    ),
    [
      {
        id: 'cert-unnamed',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01'],
        saw: [`haproxy01: HAProxy has loaded ${path}, and no file of its configuration names it`],
        why: 'After its next start HAProxy does not serve it, and what is pushed cannot be verified.',
        do: [
          {
            node: 'haproxy01',
            file: null,
            line: null,
            text: 'name it on a bind line, or reload HAProxy where it is not wanted',
          },
        ],
      },
    ],
  );
});
