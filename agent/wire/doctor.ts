import type { DoctorAnswer } from '../core/doctor/finding.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import { each, filled, orNull, wordOrUnknown } from './fields.ts';

const SEVERITIES = ['fail', 'warn', 'unknown'] as const;

/** doctor's answer as it travels. */
export const doctorToWire = ({
  node,
  findings,
  nodes,
  notes,
}: DoctorAnswer): proxyctl.v1.DoctorReply.$Properties => ({
  node,
  findings: findings.map(({ do: remedies, address, nodes, saw, ...rest }) => ({
    ...rest,
    address: address ?? '',
    nodes: [...nodes],
    saw: [...saw],
    remedies: remedies.map(({ node, file, line, text }) => ({
      node,
      file: file ?? '',
      line: line ?? '',
      text,
    })),
  })),
  nodes: [...nodes],
  notes: [...notes],
});

/** The same on arrival; throws WireError. */
export const doctorFromWire = (wire: proxyctl.v1.DoctorReply): DoctorAnswer => ({
  node: filled('node', wire.node),
  findings: each('findings', wire.findings, (one, at) => ({
    id: filled(`${at}.id`, one.id),
    severity: wordOrUnknown(one.severity, SEVERITIES),
    address: orNull(one.address),
    nodes: one.nodes,
    saw: one.saw,
    why: one.why,
    do: each(`${at}.remedies`, one.remedies, ({ node, file, line, text }) => ({
      node,
      file: orNull(file),
      line: orNull(line),
      text,
    })),
  })),
  nodes: each('nodes', wire.nodes, ({ node, problem }) => ({ node, problem })),
  notes: wire.notes,
});
