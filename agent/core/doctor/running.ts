import type { Found } from './finding.ts';
import { known, type Inspection } from './inspection.ts';

/** Whether HAProxy was asked and nobody answered; what else it was to be asked is not said then. */
export const isDown = ({ running }: Inspection): boolean => known(running)?.answers === false;

/** A HAProxy that does not answer on its stats socket. */
export const running = (inspections: readonly Inspection[]): Found[] =>
  inspections.filter(isDown).map(({ node, running }) => ({
    id: 'haproxy-down',
    about: '',
    severity: 'fail',
    address: null,
    nodes: [node],
    saw: [`${node}: ${known(running)?.why ?? ''}`],
    why: 'This host serves nothing, and what HAProxy would be asked was not looked at.',
    do: [
      { node, file: null, line: null, text: 'service haproxy status' },
      { node, file: null, line: null, text: 'service haproxy start' },
    ],
  }));
