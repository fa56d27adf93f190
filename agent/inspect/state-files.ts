import { readFile, stat } from 'node:fs/promises';
import { FEW } from '../core/doctor/no-check.ts';
import type { StateFileFacts } from '../core/doctor/inspection.ts';
import { adminState, isConfiguredOut } from '../core/servers/admin.ts';
import type { ConfigSection } from '../core/haproxy-config/sections.ts';
import { readInfo } from '../haproxy/info.ts';
import { RuntimeError, type Runtime } from '../haproxy/runtime.ts';
import { parseServersState, type ServerLine } from '../haproxy/server-lines.ts';
import { readServerLines } from '../haproxy/servers.ts';
import { stateFilesOf, type StateFile } from '../haproxy/state-file.ts';
import { isSystemError } from '../sys/files.ts';

/** Of so many files it is told what they say; a backend each may have one. */
const FILES = 50;
/** 100,000 servers are 12 MB. */
const LONGEST = 32 * 1024 * 1024;
/** Who saves it for a reload does so that shortly before. HAProxy counts whole seconds. */
const JUST_BEFORE_MS = 10_000;

/** What the next start of HAProxy would have of its servers. */
interface Running {
  /** By backend, then by server; null: HAProxy cannot be asked. */
  readonly servers: ReadonlyMap<string, ReadonlyMap<string, ServerLine>>;
  readonly startedWallMs: number;
}

/**
 * HAProxy's state files that have something amiss, compared with what HAProxy has now, if it can
 * be asked. Rejects where this user may not read one of them.
 */
export async function inspectStateFiles(
  sections: readonly ConfigSection[],
  { ask, wallMs }: { readonly ask: Runtime; readonly wallMs: number },
): Promise<StateFileFacts[]> {
  const files = stateFilesOf(sections);
  if (files.length === 0) return [];
  const running = await runningOf(ask, wallMs).catch(() => null);
  const found: StateFileFacts[] = [];
  for (const one of files) {
    if (found.length === FILES) break;
    const facts = await read(one, running, sections);
    const { problem, back, gone } = facts;
    if (problem !== '' || back.length > 0 || gone.length > 0) found.push(facts);
  }
  return found;
}

async function runningOf(ask: Runtime, wallMs: number): Promise<Running> {
  const servers = new Map<string, Map<string, ServerLine>>();
  for (const line of await readServerLines(ask, null)) {
    const before = servers.get(line.backend) ?? new Map<string, ServerLine>();
    servers.set(line.backend, before.set(line.server, line));
  }
  return { servers, startedWallMs: wallMs - (await readInfo(ask)).upMs };
}

async function read(
  one: StateFile,
  running: Running | null,
  sections: readonly ConfigSection[],
): Promise<StateFileFacts> {
  const seen: StateFileFacts = {
    path: one.path,
    of: one.of,
    backends: one.backends.slice(0, FEW),
    missing: false,
    problem: '',
    writtenAt: '',
    savedAtStart: false,
    back: [],
    backs: 0,
    gone: [],
    goners: 0,
  };
  const unusable = (problem: string): StateFileFacts => ({ ...seen, problem });
  let lines: readonly ServerLine[];
  let writtenMs: number;
  try {
    const found = await stat(one.path);
    const { size } = found;
    if (!found.isFile()) return unusable('it is no regular file');
    if (size === 0) return unusable('it is empty');
    if (size > LONGEST) return unusable(`it has ${size} bytes`);
    writtenMs = found.mtimeMs;
    lines = await parseServersState(await readFile(one.path, 'utf8'));
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return { ...unusable('it is not there'), missing: true };
    if (!(error instanceof RuntimeError)) throw error;
    return unusable('it is not, or not all of it, what "show servers state" prints');
  }
  const written = { ...seen, writtenAt: new Date(writtenMs).toISOString() };
  if (running === null) return written;
  const afterMs = running.startedWallMs - writtenMs;
  const { back, gone } = compared(one, lines, running, sections);
  return {
    ...written,
    savedAtStart: afterMs >= -1000 && afterMs <= JUST_BEFORE_MS,
    back: back.slice(0, FEW),
    backs: back.length,
    gone: gone.slice(0, FEW),
    goners: gone.length,
  };
}

/** What it would change, and which servers it names that neither HAProxy nor its files have. */
function compared(
  { of, backends }: StateFile,
  lines: readonly ServerLine[],
  { servers }: Running,
  sections: readonly ConfigSection[],
) {
  const loading = new Set(backends);
  const written = serversIn(sections);
  const back: StateFileFacts['back'][number][] = [];
  const gone: string[] = [];
  for (const line of lines) {
    const { backend, server } = line;
    if (of !== null && backend !== of) continue;
    const now = servers.get(backend)?.get(server);
    const isKnown = loading.has(backend) || !written.has(backend);
    if (now === undefined && isKnown && written.get(backend)?.(server) !== true)
      gone.push(`${backend}/${server}`);
    if (now === undefined || !loading.has(backend)) continue;
    // Its agent sets both again, at any time.
    if (line.agentChecked || now.agentChecked) continue;
    // As HAProxy applies it (src/server_state.c): where the configuration has changed, that counts.
    const [is, brings] = [adminState(now.bits), adminState(line.bits)];
    if (is !== brings && isConfiguredOut(now.bits) === isConfiguredOut(line.bits))
      back.push({ backend, server, is, brings });
    if (line.initialWeight === now.initialWeight && line.weight !== now.weight)
      back.push({
        backend,
        server,
        is: `weight ${now.weight}`,
        brings: `weight ${line.weight}`,
      });
  }
  return { back, gone };
}

/** Whether a backend has a line for a server, also one in a condition. */
function serversIn(sections: readonly ConfigSection[]): Map<string, (server: string) => boolean> {
  const found = new Map<string, (server: string) => boolean>();
  for (const { kind, lines } of sections) {
    if (kind !== 'backend' && kind !== 'listen') continue;
    const names = new Set<string>();
    const templates: string[] = [];
    for (const { words } of lines) {
      const [first, name = ''] = words;
      if (first === 'server') names.add(name);
      if (first === 'server-template' || (first === 'server' && name.includes('$')))
        templates.push(name.replace(/\$.*/, ''));
    }
    const has = (server: string): boolean =>
      names.has(server) || templates.some((one) => server.startsWith(one));
    const backend = lines[0]?.words[1] ?? '';
    const before = found.get(backend);
    found.set(backend, (server) => has(server) || before?.(server) === true);
  }
  return found;
}
