/**
 * The password of a vhid as carp(4) keeps it: 20 bytes (CARP_KEY_LEN), written by strlcpy(3), so
 * at most 19 characters. A shorter one leaves the tail of the longer behind its NUL: ifconfig -k
 * does not show it, and the HMAC is made with it. Here the bytes are a string without the NULs at
 * its end, which an HMAC does not tell apart.
 */
export function keyAfter(old: string, word: string): string {
  // An empty word is none: the kernel keeps the old one, so a password cannot be taken away.
  if (word === '') return old;
  const written = word.slice(0, LENGTH - 1);
  return `${written}\0${old.slice(written.length + 1)}`.replace(/\0+$/, '');
}

const LENGTH = 20;

/** What `ifconfig -k` shows of it. */
export const wordOf = (key: string): string => key.split('\0')[0] ?? '';
