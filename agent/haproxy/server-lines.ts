import { eachLine } from './lines.ts';
import { RuntimeError } from './runtime.ts';

/** One line of `show servers state`. */
export interface ServerLine {
  readonly backendId: string;
  readonly backend: string;
  readonly server: string;
  /** srv_admin_state; core/servers/admin.ts reads it. */
  readonly bits: number;
  readonly weight: number;
  readonly initialWeight: number;
  /** Health checks run or are paused: they are not off and not missing. */
  readonly checked: boolean;
  /** An agent of its own may set its weight. */
  readonly agentChecked: boolean;
  /** Its IP, or "-". */
  readonly address: string;
}

const COLUMNS = [
  'be_id',
  'be_name',
  'srv_name',
  'srv_addr',
  'srv_admin_state',
  'srv_uweight',
  'srv_iweight',
  'srv_check_state',
  'srv_agent_state',
] as const;
/** CHK_ST_ENABLED of HAProxy include/haproxy/check-t.h. */
const CHECK_ENABLED = 0x04;

/**
 * The servers in the output of `show servers state`, in its order; columns by
 * header. Rejects with RuntimeError for text that is none.
 */
export async function parseServersState(text: string): Promise<ServerLine[]> {
  const servers: ServerLine[] = [];
  const refuse = (what: string): never => {
    throw new RuntimeError('show servers state', '', { kind: 'text', text: what });
  };
  let at: number[] | null = null;
  let width = 0;
  let version = '';
  await eachLine(text, (line) => {
    if (version === '') version = line;
    else if (at === null) {
      const columns = line.slice(2).split(' ');
      at = COLUMNS.map((column) => columns.indexOf(column));
      width = columns.length;
      if (version !== '1' || !line.startsWith('# ') || at.includes(-1)) refuse(text);
    } else {
      const cells = line.split(' ');
      const [id, backend, server, address, ...rest] = at.map((column) => cells[column] ?? '');
      const [bits = -1, weight = -1, initialWeight = -1, check = -1, agent = -1] = rest.map(whole);
      const wrong = bits < 0 || weight < 0 || initialWeight < 0 || check < 0 || agent < 0;
      const named = id && backend && server && address;
      if (wrong || cells.length < width || !named) return refuse(line);
      servers.push({
        backendId: id,
        backend,
        server,
        bits,
        weight,
        initialWeight,
        checked: (check & CHECK_ENABLED) !== 0,
        agentChecked: (agent & CHECK_ENABLED) !== 0,
        address,
      });
    }
  });
  if (at === null) refuse(text);
  return servers;
}

/** A whole number of at most nine digits; -1 for anything else. */
const whole = (text: string): number => (/^\d{1,9}$/.test(text) ? Number(text) : -1);
