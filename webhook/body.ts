import type { IncomingMessage } from 'node:http';

/** A body that was refused, with the HTTP status that says so. */
export class BodyRefused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

// Up to here a body comes in one piece, mostly.
const SMALL = 16 * 1024;
/** Memory for a larger one is not set aside because somebody says that it will come. */
const LARGE = 512 * 1024;
/** What is kept between two bodies. */
const KEPT = 2 * 1024 * 1024;

/**
 * Reads bodies. Those of some size go into memory that is used again: left to V8, the pieces of ten bodies under way grow old
 * together, and lie around by the tens of megabytes until it looks at its old objects.
 */
export class BodyReader {
  readonly #maxBytes: number;
  readonly #free = new Map<number, ArrayBufferLike[]>();
  /** Memory of ours that somebody looks at: a piece of what Node has read may be as large, and is shared. */
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #kept = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The whole body. Object, old object and managedFields travel together, so the cap is high; it holds for a body without a
   * Content-Length too. Rejects with BodyRefused, or where the connection ends before the body does.
   */
  read(request: IncomingMessage): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      // Made when it is needed: an error costs as much as all else here, since it records where it was made.
      const tooLarge = (): BodyRefused => new BodyRefused(413, `the body is larger than ${this.#maxBytes} bytes`);
      const length = Number(request.headers['content-length'] ?? 0);
      if (length > this.#maxBytes) return reject(tooLarge());
      const whole = length > SMALL && length <= LARGE ? this.#take(length) : undefined;
      const chunks: Buffer[] = [];
      let bytes = 0;
      request.on('data', (chunk: Buffer) => {
        if (whole) chunk.copy(whole, bytes);
        bytes += chunk.length;
        if (bytes > this.#maxBytes) reject(tooLarge());
        else if (!whole) chunks.push(chunk);
      });
      request.on('end', () => resolve(whole ?? (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))));
      request.on('error', reject);
      request.on('aborted', () => reject(new BodyRefused(400, 'the connection ended before the body did')));
    });
  }

  /** Says that nobody looks at this body any more. */
  done(body: Buffer): void {
    const { buffer } = body;
    const size = buffer.byteLength;
    if (!this.#lent.delete(buffer) || this.#kept + size > KEPT) return;
    this.#kept += size;
    const free = this.#free.get(size);
    if (free) free.push(buffer);
    else this.#free.set(size, [buffer]);
  }

  #take(length: number): Buffer {
    const size = sizeFor(length);
    const kept = this.#free.get(size)?.pop();
    if (kept) this.#kept -= size;
    const memory = kept ?? Buffer.allocUnsafeSlow(size).buffer;
    this.#lent.add(memory);
    return Buffer.from(memory, 0, length);
  }
}

/** The power of two that a length fits in. */
function sizeFor(length: number): number {
  return 2 ** (32 - Math.clz32(length - 1));
}
