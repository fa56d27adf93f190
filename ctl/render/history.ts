import type { History, OwnerChange } from '../../agent/core/history.ts';
import { wrapped } from './wrapped.ts';

/** The screen of `proxyctl history`: two lines or more a change, the newest last. */
export function historyScreen({ changes, missing }: History): string {
  const parts = changes.map(changeText);
  if (parts.length === 0) parts.push('No address has come to any node since its agent first ran.');
  for (const { node, cause } of missing) parts.push(wrapped(`missing   ${node}: ${cause}`));
  return `${parts.join('\n')}\n`;
}

function changeText({ address, from, to, reason, atWallMs }: OwnerChange): string {
  const time = new Date(atWallMs).toISOString().replace('T', ' ').slice(0, 19);
  const head = wrapped(`${time}Z  ${address}  ${from ?? '?'} -> ${to}`, 4);
  return `${head}\n${wrapped(`          ${reason}`)}`;
}
