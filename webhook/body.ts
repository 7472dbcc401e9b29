import type { IncomingMessage } from 'node:http';

/** A body that was refused, with the HTTP status that says so. */
export class BodyRefused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * The whole body. Object, old object and managedFields travel together, so the cap is high; it holds for a body without a
 * Content-Length too. Rejects with BodyRefused, or where the connection ends before the body does.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Made when it is needed: an error costs as much as all else here, since it records where it was made.
    const tooLarge = (): BodyRefused => new BodyRefused(413, `the body is larger than ${maxBytes} bytes`);
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) return reject(tooLarge());
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else reject(tooLarge());
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('aborted', () => reject(new BodyRefused(400, 'the connection ended before the body did')));
  });
}
