import test from 'ava';
import fc from 'fast-check';
import { LONGEST_LINE, masker } from '../../../agent/core/haproxy-config/mask.ts';

/** Each line with `***` for what is hidden. */
const shown = (...lines: string[]): string[] => lines.map(masker(() => '***'));

test('passwords of userlists, of the statistics page and of the cluster', (t) => {
  t.deepEqual(
    shown(
      '    user anna password $6$k6y3o.eP$JlKBx9za9667 groups G1',
      "\tuser anna insecure-password 'hunter 2' # since May",
      'user password insecure-password hunter2',
      '    stats auth admin:hun:ter2',
      '    stats auth "admin:hunter 2"',
      '    stats auth admin:hun\\ ter\\"2 # anna',
      '    cluster-secret hunter2',
      '  dynamic-cookie-key hunter2',
    ),
    [
      '    user anna password *** groups G1',
      '\tuser anna insecure-password *** # since May',
      'user password insecure-password ***',
      '    stats auth admin:***',
      '    stats auth admin:***',
      '    stats auth admin:*** # anna',
      '    cluster-secret ***',
      '  dynamic-cookie-key ***',
    ],
  );
});

test('headers, variables and what they are compared with', (t) => {
  t.deepEqual(
    shown(
      'http-request set-header Authorization "Basic YTpi" if { path_beg /api }',
      String.raw`http-request add-header X-Api-Key hunter\ 2`,
      'http-request set-header X-Forwarded-Proto https',
      'http-check send meth GET uri /up hdr Authorization "Bearer hunter2" hdr Host a.example',
      String.raw`option httpchk GET /up HTTP/1.1\r\nHost:\ a\r\nAuthorization:\ Basic\ hunter2`,
      'setenv DB_PASSWORD hunter2',
      'presetenv API_TOKEN "hunter 2"',
      'setenv REGION eu',
      'http-request set-var(txn.token) str(hunter2) if TRUE',
      'http-request set-var(txn.token) req.hdr(x-token)',
      'set-var-fmt proc.api_key hunter2',
      'http-request set-var-fmt(txn.token) hunter2 hunter3 if TRUE',
      'http-request set-var(txn.host) str(www.example.net)',
      'http-request add-header Cookie session=hunter2 if TRUE',
      'acl ours req.hdr(X-Api-Key) -m str hunter2 hunter3',
      'http-request deny unless { req.hdr(authorization) -m str -i "Bearer hunter2" } || { src 10.0.0.0/8 }',
      'acl named hdr(host) -i www.example.net',
      'acl there req.hdr(authorization) -m found',
      'acl known url_param(token) -f /usr/local/etc/tokens',
    ),
    [
      'http-request set-header Authorization *** if { path_beg /api }',
      'http-request add-header X-Api-Key ***',
      'http-request set-header X-Forwarded-Proto https',
      'http-check send meth GET uri /up hdr Authorization *** hdr Host a.example',
      String.raw`option httpchk GET /up "HTTP/1.1\r\nHost: a\r\nAuthorization: Basic ***"`,
      'setenv DB_PASSWORD ***',
      'presetenv API_TOKEN ***',
      'setenv REGION eu',
      'http-request set-var(txn.token) *** if TRUE',
      'http-request set-var(txn.token) req.hdr(x-token)',
      'set-var-fmt proc.api_key ***',
      'http-request set-var-fmt(txn.token) *** *** if TRUE',
      'http-request set-var(txn.host) str(www.example.net)',
      'http-request add-header Cookie *** if TRUE',
      'acl ours req.hdr(X-Api-Key) -m str *** ***',
      'http-request deny unless { req.hdr(authorization) -m str -i *** } || { src 10.0.0.0/8 }',
      'acl named hdr(host) -i www.example.net',
      'acl there req.hdr(authorization) -m found',
      'acl known url_param(token) -f /usr/local/etc/tokens',
    ],
  );
});

test('what checks send, keys of converters, URLs and arguments of programs', (t) => {
  t.deepEqual(
    shown(
      String.raw`tcp-check send AUTH\ hunter2\r\n`,
      String.raw`tcp-check send PING\r\n`,
      'tcp-check send-binary 415554482068756e7465723220',
      'tcp-check send-binary 50494e47',
      'http-request set-header X-Sum %[path,hmac(sha256,aHVudGVyMg==),hex]',
      'http-request set-header X-Plain %[var(txn.a),aes_gcm_dec(128,txn.nonce,aHVudGVyMg==,txn.tag)]',
      'http-request set-var(txn.ok) req.hdr(x),jwt_verify(txn.alg,"/etc/pub.pem")',
      'http-request redirect location https://anna:hunter2@a.example/?token=hunter3&page=4',
      'command /usr/local/bin/sidecar --password hunter2 --port 80 --db-token=hunter3',
      `http-check send body '{"user":"a","password":"hunter2"}'`,
    ),
    [
      'tcp-check send ***',
      String.raw`tcp-check send PING\r\n`,
      'tcp-check send-binary ***',
      'tcp-check send-binary 50494e47',
      'http-request set-header X-Sum %[path,hmac(***),hex]',
      'http-request set-header X-Plain %[var(txn.a),aes_gcm_dec(***)]',
      'http-request set-var(txn.ok) req.hdr(x),jwt_verify(txn.alg,"/etc/pub.pem")',
      'http-request redirect location https://anna:***@a.example/?token=***&page=4',
      'command /usr/local/bin/sidecar --password *** --port 80 --db-token=***',
      String.raw`http-check send body "{\"user\":\"a\",\"password\":***}"`,
    ],
  );
});

test('lines that are commented out are read as lines; comments that speak of passwords are hidden', (t) => {
  t.deepEqual(
    shown(
      '    # user anna password hunter2',
      '#stats auth admin:hunter2',
      'server web1 10.0.0.1:80 # the old password was hunter2',
      '# keys are in /usr/local/etc/ssl',
      '# curl https://anna:hunter2@a.example',
    ),
    [
      '    # user anna password ***',
      '#stats auth admin:***',
      'server web1 10.0.0.1:80 # ***',
      '# keys are in /usr/local/etc/ssl',
      '# curl https://anna:***@a.example',
    ],
  );
});

test('what only looks like a secret is shown: names, files, references to the environment', (t) => {
  const lines = [
    'backend key',
    '    server token 10.0.0.1:80 check cookie s1',
    '    use_backend token if { path_beg /t }',
    '    user anna password "${ANNA_PASSWORD}"',
    '    stats auth "admin:${STATS_PASSWORD}"',
    '    bind :443 ssl crt /usr/local/etc/ssl/secret.pem alpn h2,http/1.1',
    '    load crt site.pem key site.key alias "site"',
    '    cookie SRV insert indirect nocache',
    '    http-request auth realm Staff unless { http_auth(staff) }',
    '    tls-ticket-keys /usr/local/etc/tickets',
    '    log 127.0.0.1:514 local0',
    '    http-request deny if key token',
  ];
  t.deepEqual(shown(...lines), lines);
});

test('a mark is of the place and the value: section, line before it, without the secrets there', (t) => {
  const seen: string[][] = [];
  const line = masker((...one) => {
    seen.push(one);
    return `<${seen.length}>`;
  });
  const masked = [
    'userlist staff',
    '  user anna password hunter2',
    'listen stats',
    '  stats auth admin:hunter2',
    '  http-request set-header X-Api-Key one two',
  ].map(line);
  t.deepEqual(masked, [
    'userlist staff',
    '  user anna password <1>',
    'listen stats',
    '  stats auth admin:<2>',
    '  http-request set-header X-Api-Key <3> <4>',
  ]);
  t.deepEqual(seen, [
    ['userlist staff\nuser\nanna\npassword\n', 'hunter2'],
    ['listen stats\nstats\nauth\nadmin:', 'hunter2'],
    ['listen stats\nhttp-request\nset-header\nX-Api-Key\n', 'one'],
    ['listen stats\nhttp-request\nset-header\nX-Api-Key\n*\n', 'two'],
  ]);
});

test('what a terminal would obey is replaced, and a line that is too long is hidden', (t) => {
  t.deepEqual(shown('# \u001B[31mred\u0007\tx\r', `log ${'x'.repeat(LONGEST_LINE)}`), [
    '# \uFFFD[31mred\uFFFD\tx\r',
    '***',
  ]);
});

test('whatever a secret is made of, and however it is quoted, nothing of it is left', (t) => {
  const letter = fc.constantFrom(...'Q%$:@=/?&!{}|,;~.-_+*'.split(''), ' ', '#', '"', "'", '\\');
  const value = fc
    .array(letter, { minLength: 1, maxLength: 12 })
    .map((all) => `QQ${all.join('')}QQ`);
  const before = fc.constantFrom(
    'user anna password ',
    'user anna insecure-password ',
    'stats auth admin:',
    'http-request set-header Authorization ',
    'setenv API_TOKEN ',
    'cluster-secret ',
    '# user anna password ',
  );
  const escaped = (text: string): string => text.replaceAll(/[\s#"'\\]/g, String.raw`\$&`);
  const quote = fc.constantFrom(
    escaped,
    (text: string) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`,
  );
  fc.assert(
    fc.property(before, value, quote, (line, secret, how) => {
      const [masked = ''] = shown(line + how(secret));
      return !masked.includes('Q') && masked.includes('***');
    }),
  );
  t.pass();
});
