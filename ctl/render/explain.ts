import type { ExplainAnswer, Explained, Standing } from '../../agent/core/answers.ts';
import { duration } from './duration.ts';
import { table } from './table.ts';
import { wrapped } from './wrapped.ts';

/** The screen of `proxyctl explain`: verdict, inputs, and what would move it. */
export function explainScreen(answer: ExplainAnswer, nowMs: number): string {
  const parts = answer.addresses.map((one) => addressText(one, nowMs));
  const foot = answer.paused
    ? 'Automation is paused: only what an operator asks for moves.'
    : 'By hand, without any agent: ifconfig IF vhid N advskew 254 where it is, then\n' +
      'ifconfig IF vhid N advskew BASE state master where it shall be.';
  return `${[...parts, foot].join('\n\n')}\n`;
}

function addressText(one: Explained, nowMs: number): string {
  const rows = one.standings.map((standing) => [
    `${standing.node === one.owner ? '* ' : '  '}${standing.node}`,
    standing.state,
    standing.unableBecause === '' ? 'yes' : 'no',
    `${standing.health}, ${duration(Math.max(0, nowMs - standing.healthSinceMs))}`,
    standing.maintenance ? 'yes' : '-',
    standing.pinned ? 'yes' : '-',
    standing.ripe ? 'yes' : 'no',
    String(standing.advskew),
  ]);
  const head = ['  NODE', 'CARP', 'ABLE', 'HEALTH', 'MAINT', 'PIN', 'RIPE', 'BASE'];
  const lines = [
    wrapped(`decision  ${one.reason}`),
    table(head, rows, { right: [7], columns: 'fits' }),
    ...one.standings.flatMap(notes),
    ...one.absent.map((text) => wrapped(`not counted: ${text}`)),
    ...one.flips.map(({ text, owner }) =>
      wrapped(`if        ${text}: ${owner ?? 'no node'} owns it`),
    ),
  ];
  return lines.join('\n');
}

const notes = ({ node, unableBecause, health, healthReason }: Standing): string[] => [
  ...(unableBecause === '' ? [] : [wrapped(`${node} is not able: ${unableBecause}`)]),
  ...(health === 'serving' || healthReason === unableBecause
    ? []
    : [wrapped(`${node} is ${health}: ${healthReason}`)]),
];
