import { type ObjectRequest, ObjectReader } from './object-reader.ts';

/** Processes that wait for the next read. Each takes 4 MB; a process of every repository would be hundreds of them. */
const MAX_WAITING = 4;
/** A process that nobody asks for so long ends: an idle agent has none. */
const IDLE_MS = 2_000;

interface Reading {
  reader: ObjectReader;
  /** Reads that are under way or wait for their turn. */
  reads: number;
  timer: NodeJS.Timeout | undefined;
}

/** One reader for each repository that is being read. */
export class ObjectReaders {
  readonly #readers = new Map<string, Reading>();

  /** See ObjectReader. Reads of one repository come one after the other. */
  async read(
    where: { directory: string; home: string },
    objects: readonly ObjectRequest[],
    signal: AbortSignal,
  ): Promise<Map<string, Buffer>> {
    const { directory, home } = where;
    const reading = this.#readers.get(directory) ?? { reader: new ObjectReader(directory, home), reads: 0, timer: undefined };
    reading.reads++;
    clearTimeout(reading.timer);
    // The last asked for stands last.
    this.#readers.delete(directory);
    this.#readers.set(directory, reading);
    try {
      return await reading.reader.read(objects, signal);
    } finally {
      reading.reads--;
      this.#rest(directory, reading);
    }
  }

  close(): void {
    for (const { reader, timer } of this.#readers.values()) {
      clearTimeout(timer);
      reader.end();
    }
    this.#readers.clear();
  }

  #rest(directory: string, reading: Reading): void {
    if (reading.reads > 0 || this.#readers.get(directory) !== reading) return;
    reading.timer = setTimeout(() => this.#end(directory, reading), IDLE_MS);
    reading.timer.unref();
    const waiting = [...this.#readers].filter(([, { reads }]) => reads === 0);
    for (const [other, one] of waiting.slice(0, -MAX_WAITING)) this.#end(other, one);
  }

  #end(directory: string, { reader, timer }: Reading): void {
    clearTimeout(timer);
    this.#readers.delete(directory);
    reader.end();
  }
}
