import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Clock ticks of /proc/PID/stat in a second (sysconf(_SC_CLK_TCK)); 100 on every Linux. */
const TICKS = 100;
const SAMPLE_MS = 500;

/** Seconds of processor time of a process and of its children that have ended (proc(5), fields 14 to 17). */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
}

export interface Memory {
  rssMb: number;
  /** Not shared with any other process. */
  privateMb: number;
}

export async function memoryOf(pid: number): Promise<Memory> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mb = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024;
  return { rssMb: mb('Rss'), privateMb: mb('Private_Clean') + mb('Private_Dirty') };
}

/** The largest memory that a process has had: RSS by the kernel's own mark, private by samples. */
export class PeakMemory {
  readonly #pid: number;
  readonly #stop = new AbortController();
  #privateMb = 0;

  constructor(pid: number) {
    this.#pid = pid;
    void this.#sample();
  }

  /** No sample is taken any more. */
  stop(): void {
    this.#stop.abort();
  }

  /** So far. */
  async read(): Promise<Memory> {
    const status = await readFile(`/proc/${this.#pid}/status`, 'utf8');
    return { rssMb: Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024, privateMb: this.#privateMb };
  }

  async #sample(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      // While the program is being loaded there is nothing to read.
      const now = await memoryOf(this.#pid).catch(() => undefined);
      this.#privateMb = Math.max(this.#privateMb, now?.privateMb ?? 0);
      await sleep(SAMPLE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
