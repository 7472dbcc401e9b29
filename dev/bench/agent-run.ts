import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { logTail, startProcess } from '../lifeline.ts';
import { freePorts } from '../ports.ts';
import { PROGRAM_STARTS } from '../program-start.ts';
import { type ApiRequest, type AuditTail, countRequests, isWrite } from './api-requests.ts';
import type { Laboratory, Place } from './laboratory.ts';
import { cpuSeconds, type Memory, memoryOf, PeakMemory } from './process-cost.ts';

const AGENT = PROGRAM_STARTS['lateen-agent'];
const POLL_MS = 100;
const STOP_GRACE_MS = 15_000;
/** No write of the agent for so long: it is done. Its longest silence while it works is the second after which a status is written. */
const DONE_MS = 4_000;

/** The agent as it is shipped. */
function agentCommand(bundle: string, profile: string): string[] {
  const profiling = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
  return [process.execPath, '--disable-warning=ExperimentalWarning', ...AGENT.options, ...profiling, bundle];
}

export interface AgentRun {
  pid: number;
  /** Milliseconds since the epoch. */
  startedMs: number;
  requests: ApiRequest[];
  /** Reads on; resolves when `count` different objects of the kinds have been applied, to the time of the last. */
  untilApplied(resources: ReadonlySet<string>, count: number, name?: string): Promise<number>;
  /** Resolves when the agent has written nothing for a while. */
  untilDone(quietMs?: number): Promise<void>;
  /** Brings `requests` up to date. */
  read(): Promise<void>;
  /** Takes what the audit log has of the agent by now, and forgets it. */
  takeRequests(): Promise<ApiRequest[]>;
  cpuSeconds(): Promise<number>;
  memory(): Promise<Memory>;
  peak(): Promise<Memory>;
  log(): Promise<string>;
  stop(): Promise<void>;
}

export interface AgentOptions {
  laboratory: Laboratory;
  place: Place;
  flags?: Record<string, string>;
  profile?: string;
  deadlineMs?: number;
}

/** Starts an agent; it is not waited for. */
export async function startAgent(options: AgentOptions): Promise<AgentRun> {
  const { laboratory, place, flags = {}, profile = '', deadlineMs = 900_000 } = options;
  const folder = await mkdtemp(join(laboratory.folder, 'agent-'));
  if (profile) await mkdir(profile, { recursive: true });
  const [port] = await freePorts(1);
  const settings = {
    namespace: place.namespace,
    kustomize: laboratory.plane.programs.kustomize,
    'cache-dir': join(folder, 'cache'),
    'health-address': `127.0.0.1:${port}`,
    'min-interval': '1s',
    ...flags,
  };
  const [command = '', ...args] = agentCommand(laboratory.agent, profile);
  args.push(...Object.entries(settings).map(([name, value]) => `--${name}=${value}`));
  const audit = await laboratory.audit();
  const startedMs = Date.now();
  const env = { PATH: process.env['PATH'], ...AGENT.environment, ...place.environment };
  const started = await startProcess({ name: 'lateen-agent', command, args, logFile: join(folder, 'agent.log'), env });
  const { pid, logFile } = started;
  const peak = new PeakMemory(pid);
  const follow = following(audit, place, { startedMs, deadlineMs, logFile });
  return {
    pid,
    startedMs,
    ...follow,
    cpuSeconds: () => cpuSeconds(pid),
    memory: () => memoryOf(pid),
    peak: () => peak.read(),
    log: () => logTail(logFile, 64 * 1024 * 1024),
    async stop() {
      peak.stop();
      await started.stop(STOP_GRACE_MS);
      await audit.close();
    },
  };
}

type Follow = Pick<AgentRun, 'requests' | 'read' | 'untilApplied' | 'untilDone' | 'takeRequests'>;

/** What the agent asks for, as the audit log has it. */
function following(audit: AuditTail, { user }: Place, limits: { startedMs: number; deadlineMs: number; logFile: string }): Follow {
  const requests: ApiRequest[] = [];
  const read = async (): Promise<void> => {
    requests.push(...(await audit.read(user)));
    if (Date.now() - limits.startedMs < limits.deadlineMs) return;
    throw new Error(`the agent is not done after ${limits.deadlineMs / 1000} s; the end of its log:\n${await logTail(limits.logFile)}`);
  };
  return {
    requests,
    read,
    async untilApplied(resources, count, only) {
      const applied = new Map<string, number>();
      for (let at = 0; applied.size < count; await sleep(POLL_MS)) {
        await read();
        for (; at < requests.length; at++) {
          const { verb, resource, name, code, atMs } = requests[at]!;
          const isWanted = verb === 'patch' && code < 300 && resources.has(resource) && (only === undefined || only === name);
          if (isWanted) applied.set(`${resource}/${name}`, atMs);
        }
      }
      return Math.max(...applied.values());
    },
    async untilDone(quietMs = DONE_MS) {
      const begunMs = Date.now();
      const lastWrite = (): number => Math.max(begunMs, requests.findLast(isWork)?.atMs ?? 0);
      do {
        await sleep(POLL_MS);
        await read();
      } while (Date.now() - lastWrite() < quietMs);
    },
    async takeRequests() {
      await read();
      return requests.splice(0);
    },
  };
}

/** The renewal of the Lease goes on for ever. */
export function isWork(request: ApiRequest): boolean {
  return isWrite(request) && request.resource !== 'leases';
}

/** Of requests that are all an agent's: how many, and which. */
export function summary(requests: readonly ApiRequest[]): { total: number; writes: number; byVerb: Record<string, number> } {
  return { total: requests.length, writes: requests.filter(isWrite).length, byVerb: countRequests(requests) };
}
