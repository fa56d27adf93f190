import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import type { Browser } from 'playwright-core';

const SIZE = { columns: 96, rows: 26 };
/** A screen of top begins and ends so. */
const [HOME, END] = ['\u001B[H', '\u001B[J'];
const LIMIT_MS = 20_000;
/** SGR: what styleText(util) makes of the colours. */
const COLOURS: Readonly<Record<string, string>> = { 31: '#ff8f87', 32: '#7ee099', 33: '#f0c069' };

/**
 * The screen of a program on a terminal once it is as wanted: `steps` are what a screen has to have,
 * and the keys that are typed then; the last screen counts. Rejects after 20 s.
 */
export async function terminalScreen(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  steps: readonly (readonly [RegExp, string])[],
): Promise<string> {
  const line = argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const command = `stty cols ${SIZE.columns} rows ${SIZE.rows}; exec ${line}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, ...env, TERM: 'xterm', LC_ALL: 'C.UTF-8', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: LIMIT_MS,
  });
  const left = [...steps];
  let said = '';
  let found = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    const screens = said.split(HOME);
    const last = screens.findLast((one) => one.includes(END)) ?? '';
    const [step] = left;
    if (step === undefined || !step[0].test(stripVTControlCharacters(last))) return;
    left.shift();
    said = '';
    found = last;
    child.stdin.write(step[1]);
  });
  await once(child, 'close');
  if (left.length > 0)
    throw new Error(`the screen never had ${String(left[0]?.[0])}:\n${said.split(HOME).at(-1)}`);
  return found.slice(0, found.indexOf(END));
}

/** A picture of such a screen, as a terminal with a dark ground shows it. */
export async function pictureOf(screen: string, browser: Browser, path: string): Promise<void> {
  const page = await browser.newPage();
  await page.setContent(`<style>
body { margin: 0; background: #14181d; }
pre { display: inline-block; margin: 0; padding: 14px 16px; background: #14181d; color: #dfe4ea;
  font: 14px/1.3 "DejaVu Sans Mono", "Liberation Mono", monospace; width: ${SIZE.columns}ch; }
</style><pre>${htmlOf(screen)}</pre>`);
  await page.locator('pre').screenshot({ path });
  await page.close();
}

function htmlOf(screen: string): string {
  const escaped = screen
    .replaceAll('\u001B[K', '')
    .replaceAll('\r', '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;');
  const [first = '', ...rest] = escaped.split('\u001B[');
  const coloured = rest.map((part) => {
    const [, code = '', text = ''] = /^([\d;]*)m([^]*)$/.exec(part) ?? [];
    const colour = COLOURS[code];
    return colour === undefined ? text : `<span style="color:${colour}">${text}</span>`;
  });
  return [first, ...coloured].join('').trimEnd();
}
