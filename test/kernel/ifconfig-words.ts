import { isIPv4, isIPv6 } from 'node:net';
import type { Settings } from './acts.ts';
import { GROUP4, GROUP6, type Release } from './kernel.ts';

/** The words of one ifconfig command line, GET not yet overlaid. */
export interface Wanted {
  vhid: number | null;
  readonly settings: { -readonly [K in keyof Settings]?: Settings[K] };
  /** Empty where none was given. */
  pass: string;
  address: string | null;
  remove: boolean;
  up: boolean | null;
}

/** What ifconfig(8) says before it ends with 1. */
export class Refusal extends Error {}

/** The words after the interface's name, as sbin/ifconfig/carp.c takes them. Throws Refusal. */
export function parseWords(words: readonly string[], release: Release): Wanted {
  const wanted: Wanted = {
    vhid: null,
    settings: {},
    pass: '',
    address: null,
    remove: false,
    up: null,
  };
  const queue = [...words];
  const next = (word: string): string => {
    const value = queue.shift();
    if (value === undefined) throw new Refusal(`'${word}' requires argument`);
    return value;
  };
  const needsVhid = (word: string): void => {
    if (wanted.vhid === null) throw new Refusal(`${word} requires vhid`);
  };
  // atoi(3): "abc" is 0; a negative value is let pass by a `> -1` test.
  const number = (word: string): number | null => {
    const value = Number.parseInt(next(word), 10);
    return Number.isNaN(value) ? 0 : value > -1 ? value : null;
  };
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    switch (word) {
      case 'inet':
      case 'inet6':
      case 'alias':
      case 'add':
        break;
      case '-alias':
      case 'delete':
        wanted.remove = true;
        break;
      case 'up':
      case 'down':
        wanted.up = word === 'up';
        break;
      case 'vhid': {
        const vhid = Number.parseInt(next(word), 10);
        if (!(vhid > 0 && vhid <= 255))
          throw new Refusal('vhid must be greater than 0 and less than 255');
        wanted.vhid = vhid;
        break;
      }
      case 'advbase':
      case 'advskew': {
        needsVhid(word);
        const value = number(word);
        if (value !== null) wanted.settings[word] = value;
        break;
      }
      case 'pass':
        needsVhid('passwd');
        wanted.pass = next(word).slice(0, 19);
        break;
      case 'state': {
        needsVhid(word);
        const state = next(word).toUpperCase();
        if (state !== 'INIT' && state !== 'BACKUP' && state !== 'MASTER')
          throw new Refusal('unknown state');
        wanted.settings.state = state;
        break;
      }
      case 'peer':
      case 'peer6':
      case 'mcast':
      case 'mcast6':
        if (release === 13) throw new Refusal(`${word}: bad value`);
        if (word === 'peer') wanted.settings.peer = inetAddr(next(word));
        else if (word === 'peer6') wanted.settings.peer6 = peer6(next(word));
        else if (word === 'mcast') wanted.settings.peer = GROUP4;
        else wanted.settings.peer6 = GROUP6;
        break;
      default:
        wanted.address = addressOf(word);
    }
  }
  return wanted;
}

/** inet_addr(3): what is no address is 255.255.255.255, and nobody checks. */
const inetAddr = (text: string): string => (isIPv4(text) ? text : '255.255.255.255');

function peer6(text: string): string {
  if (!isIPv6(text)) throw new Refusal(`Invalid IPv6 address ${text}`);
  return text.replace(/%.*$/, '');
}

function addressOf(word: string): string {
  const address = word.replace(/\/\d+$/, '');
  if (isIPv4(address) || isIPv6(address)) return address;
  throw new Refusal(`${word}: bad value`);
}
