// What a machine may have set for its own purposes, and no test may depend on.

/** Words, colours and sizes; other programs' files, proxies and options; a context of proxyctl's user. */
const OF_THE_MACHINE = [
  /^(LANG|LANGUAGE|LC_.*|TZ)$/,
  /^(FORCE_COLOR|NO_COLOR|CLICOLOR.*|COLORTERM|TERM|COLUMNS|LINES|PAGER|EDITOR|VISUAL)$/,
  /^(no|https?|all|grpc)_proxy$/i,
  /^(NODE_(ENV|OPTIONS|EXTRA_CA_CERTS|PATH|DEBUG|TLS_.*|NO_WARNINGS|PENDING_.*|USE_.*))$/,
  /^(SSL_CERT_.*|OPENSSL_.*|GRPC_.*|XDG_.*|SOURCE_DATE_EPOCH)$/,
  /^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|AUTHOR_.*|COMMITTER_.*)$/,
  /^(PROXYCTL_.*|IFCONFIG_FORMAT|POSIXLY_CORRECT|ENV|BASH_ENV|CDPATH|GREP_OPTIONS)$/,
];

/** The environment without those; programs speak English. */
export function withoutSettings(environment) {
  const kept = Object.entries(environment).filter(
    ([name]) => !OF_THE_MACHINE.some((pattern) => pattern.test(name)),
  );
  return { ...Object.fromEntries(kept), LC_ALL: 'C.UTF-8' };
}
