import { PemError } from './pem-error.ts';

/** One known way in which a text is no PEM that HAProxy reads. */
interface Cause {
  readonly seen: RegExp;
  readonly message: string;
  readonly why: string;
  readonly remedy: string;
}

const DECRYPT = 'decrypt it where its key is, and give what comes out';

/** The most telling first: a text may look like several. Every pattern is tried on the whole text. */
const CAUSES: readonly Cause[] = [
  {
    // Decoded as UTF-8 every second character of ASCII in UTF-16 is a NUL.
    seen: /^\W{0,2}\0?-\0-\0|^(?:[\s\S]\0){8}|^\W{0,2}(?:\0[\s\S]){8}/,
    message: 'UTF-16',
    why: 'it is text in UTF-16, as Windows writes it',
    remedy: 'convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW',
  },
  {
    // PFX: SEQUENCE, version INTEGER 3 (RFC 7292, 4).
    seen: new RegExp(`^0[^]{1,6}${String.fromCharCode(2, 1, 3)}`),
    message: 'PKCS #12',
    why: 'it is a PKCS #12 file (.p12, .pfx), not PEM',
    remedy: 'convert it: openssl pkcs12 -in OLD -nodes -out NEW',
  },
  {
    // SEQUENCE with a length of more than one octet (X.690, 8.1.3.5).
    seen: /^0[\x80-\x9f\ufffd]/,
    message: 'not PEM',
    why: 'it is binary (DER), not PEM',
    remedy: 'convert it: openssl x509 -inform der, the key: openssl pkey -inform der',
  },
  {
    seen: /-----(?:\\r)?\\n/,
    message: 'not PEM',
    why: 'its line ends are written out as \\n, as in JSON or a variable',
    remedy: 'write them as line ends: printf "%b" "$(cat OLD)" > NEW',
  },
  {
    seen: /-----BEGIN [A-Z0-9 ]+-----[^\r\n-]{20,}-----END /,
    message: 'on one line',
    why: 'its line ends are lost: BEGIN, base64 and END stand on one line',
    remedy: 'copy the file again as it is, line by line',
  },
  {
    seen: /-----END [A-Z0-9 ]+-----[ \t]*-----BEGIN /,
    message: 'joined without a line end',
    why: 'an END line and a BEGIN line are one line: a file that was joined has no line end',
    remedy: 'join the files again with a line end between them: awk 1 FILE... > NEW',
  },
  {
    seen: /^\s*LS0tLS1CRUdJT/,
    message: 'not PEM',
    why: 'it is base64 of a PEM text, as in a Kubernetes secret',
    remedy: 'decode it: openssl base64 -d -A -in OLD -out NEW',
  },
  {
    seen: /^\s*["']\s*-----BEGIN /m,
    message: 'not PEM',
    why: 'its lines are in quotes',
    remedy: 'take the quotes out, BEGIN and END lines stand alone',
  },
  {
    seen: /^\s*(?!-----BEGIN )[-\u2010-\u2015\u2212]{1,8} ?BEGIN [A-Z0-9 ]+[-\u2010-\u2015\u2212]+/m,
    message: 'not PEM',
    why: 'the dashes around BEGIN are others than five hyphens, as word processors write them',
    remedy: 'copy the file again as it is, not through a document or a mail',
  },
  {
    seen: /^PuTTY-User-Key-File/m,
    message: 'a key of PuTTY',
    why: 'it holds a key of PuTTY, for ssh',
    remedy: 'take the private key that the certificate was requested with',
  },
  {
    seen: /^\s*<(?:!doctype|html|\?xml)/i,
    message: 'not PEM',
    why: 'it is a web page or XML, perhaps of a failed download',
    remedy: 'fetch the certificate again and look into the file',
  },
  {
    seen: new RegExp(`^PK${String.fromCharCode(3, 4)}`),
    message: 'a ZIP archive',
    why: 'it is a ZIP archive, as CAs send them',
    remedy: 'unpack it (tar -xf OLD), then cat LEAF CHAIN KEY > NEW',
  },
  {
    seen: /^\s*\{\\rtf/,
    message: 'not PEM',
    why: 'it is a document (RTF), as TextEdit and WordPad save it',
    remedy: 'save it as plain text, or copy the file again as it is',
  },
  {
    seen: /^\s*\$ANSIBLE_VAULT;|"sops": ?\{/m,
    message: 'encrypted',
    why: 'the whole file is encrypted (Ansible Vault, sops)',
    remedy: DECRYPT,
  },
  {
    seen: /^Certificate:\s*\n\s+Data:(?![\s\S]*-----BEGIN )/m,
    message: 'not PEM',
    why: 'it is what openssl prints to read, without the certificate itself',
    remedy: 'print the certificate: openssl x509 -in OLD -out NEW, without -noout',
  },
  {
    seen: /%2D%2D|-----BEGIN(?:%20|\+)/i,
    message: 'not PEM',
    why: 'it is encoded for a URL (%20, %0A)',
    remedy: 'decode it, or take it from where it was before',
  },
  {
    seen: /[\u00a0\u200b-\u200f\u2028\u2029\u2060]/,
    message: 'not PEM',
    why: 'it holds invisible characters, as web pages and chats put them in',
    remedy: 'copy the file again as it is, not out of a page or a chat',
  },
  {
    seen: /^[ \t]*[^\s-][^\n]*-----BEGIN /m,
    message: 'not PEM',
    why: 'something stands before BEGIN on its line: a mark of a mail or a diff, a number, a tag',
    remedy: 'take that out of every line, or copy the file again as it is',
  },
  {
    seen: /^[ \t]*-----(?:BEGIN|END) [A-Z0-9 ]+-----[ \t]*[^\s-]/m,
    message: 'not PEM',
    why: 'something stands behind a BEGIN or END line, which is to be alone on its line',
    remedy: 'take that out, or copy the file again as it is',
  },
  {
    seen: /-----begin [a-z0-9 ]+-----/,
    message: 'not PEM',
    why: 'its BEGIN and END lines are in small letters',
    remedy: 'copy the file again as it is',
  },
  {
    seen: /^\s*MII[A-Za-z0-9+/=\s]{100,}$/,
    message: 'not PEM',
    why: 'it is base64 without BEGIN and END lines',
    remedy: 'put -----BEGIN CERTIFICATE----- before and -----END CERTIFICATE----- after it',
  },
];

/** Labels of blocks that are something else than a certificate or its key (RFC 7468). */
const LABELS: readonly (Omit<Cause, 'message'> & { readonly message: string })[] = [
  {
    seen: /CERTIFICATE REQUEST$/,
    message: 'a request, no certificate',
    why: '',
    remedy: 'take the certificate that the CA made of it, its chain and the key',
  },
  {
    seen: /^(?:PKCS7|PKCS #7 SIGNED DATA|CMS)$/,
    message: 'PKCS #7',
    why: '',
    remedy: 'convert it: openssl pkcs7 -print_certs -in OLD -out NEW, and add the key',
  },
  {
    seen: /PUBLIC KEY$/,
    message: 'a public key',
    why: '',
    remedy: 'take the private key that the certificate was requested with',
  },
  {
    seen: /^(?:PGP MESSAGE|AGE ENCRYPTED FILE)$/,
    message: 'encrypted',
    why: '',
    remedy: DECRYPT,
  },
  {
    seen: /^X509 CRL$/,
    message: 'a revocation list',
    why: '',
    remedy: 'leave only leaf, chain and key in it',
  },
];

/** Why a text holds no PEM, by its known cause; null: by none that is known. */
export function causeOf(text: string): PemError | null {
  const found = CAUSES.find(({ seen }) => seen.test(text));
  if (found === undefined) return null;
  return new PemError('not_pem', `read bundle: ${found.message}`, found.why, found.remedy);
}

/** The refusal of a block with a label that does not belong into a bundle. */
export function otherBlock(label: string): PemError {
  const found = LABELS.find(({ seen }) => seen.test(label));
  return new PemError(
    'not_pem',
    `read bundle: ${found?.message ?? 'a block that does not belong'}`,
    `it holds a ${label}`,
    found?.remedy ?? 'leave only leaf, chain and key in it',
  );
}

/**
 * What push puts right and HAProxy does not when it reads a file: OpenSSL looks for BEGIN at the
 * beginning of a line, CR alone ends none, and a blank line ends the base64. Null: nothing of it.
 */
export function refusedOnDisk(text: string): PemError | null {
  const why = !text.includes('\n')
    ? text.includes('\r') && 'its lines end with CR alone'
    : /^[ \t]+-----BEGIN /m.test(text)
      ? 'its BEGIN lines are indented'
      : /^[A-Za-z0-9+/=]+[ \t\r]*\n[ \t\r]*\n+[ \t]*[A-Za-z0-9+/=]+[ \t\r]*$/m.test(text) &&
        'blank lines stand within its blocks';
  if (why === false) return null;
  return new PemError('not_pem', 'read bundle: not PEM', why, 'push it again: that is put right');
}
