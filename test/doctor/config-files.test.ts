import test from 'ava';
import { diagnose } from '../../agent/core/doctor/diagnose.ts';
import { config, pairwise, well } from './inspections.ts';

test('findings name the file of HAProxy in which a line stands', (t) => {
  const file = '/usr/local/etc/haproxy.d/web.cfg';
  const found = diagnose(
    [
      well('haproxy01', {
        config: config({
          servers: [
            {
              backend: 'WEB',
              name: 'w1',
              host: '10.0.0.1',
              port: 80,
              check: false,
              line: 7,
              file,
              text: 'server w1 10.0.0.1:80',
            },
          ],
          hosts: [{ name: 'c.example.org', section: 'frontend web', line: 3, file }],
          tables: [
            { section: 'backend WEB', line: 5, file, text: 'stick-table type ip', peers: 'p' },
          ],
          peers: ['p'],
        }),
      }),
      well('haproxy02'),
    ],
    pairwise(),
  );
  t.deepEqual(
    found.map(({ id, saw, do: [first] }) => [id, saw[0], first?.file, first?.line]),
    [
      [
        'cert-name',
        `haproxy01: ${file}:3: frontend web serves c.example.org, no certificate has it`,
        null,
        null,
      ],
      ['haproxy-no-check', 'haproxy01: WEB/w1 has no check', file, '7'],
    ],
  );
});

test('of one host the files are not known: what may stand in others is no finding', (t) => {
  const sections = [
    { name: 'global', digest: 'g1' },
    { name: 'global', digest: 'g2' },
  ];
  const unsure = config({
    unsure: true,
    tables: [{ section: 'backend A', line: 5, text: 'stick-table type ip peers p', peers: 'p' }],
  });
  const other = config({ digest: 'd2', sections });
  t.deepEqual(
    diagnose(
      [well('haproxy01', { config: unsure }), well('haproxy02', { config: other })],
      pairwise(),
    ),
    [],
  );
  const [found] = diagnose(
    [
      well('haproxy01', { config: config({ sections: [...sections].reverse(), digest: 'd3' }) }),
      well('haproxy02', {
        config: config({
          digest: 'd2',
          sections: [
            { name: 'global', digest: 'g0' },
            { name: 'global', digest: 'g2' },
          ],
        }),
      }),
    ],
    pairwise(),
  );
  t.deepEqual(found?.saw, ['global differs between haproxy01 and haproxy02']);
});
