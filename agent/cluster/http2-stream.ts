import { type ClientHttp2Stream, constants } from 'node:http2';
import { type Exchange, NotProcessedError, UnreachableError } from './wire.ts';

type Answered = Pick<Exchange, 'signal' | 'onHeaders' | 'onData'>;

/**
 * The answer of a request that has just gone out. Rejects at once where the signal aborts: a stream that waits for its turn
 * within nghttp2 does not end before it has had it, so nothing may wait for its end.
 */
export function receive(stream: ClientHttp2Stream, { signal, onHeaders, onData }: Answered): Promise<void> {
  return new Promise((resolve, reject) => {
    let over = false;
    let answered = false;
    let broken: Error | undefined;
    const end = (error?: Error): void => {
      if (over) return;
      over = true;
      signal.removeEventListener('abort', onAbort);
      if (error) reject(error);
      else resolve();
    };
    const giveUp = (error: Error): void => {
      end(error);
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const onAbort = (): void => giveUp(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    stream.on('response', (received) => {
      if (over) return;
      answered = true;
      onHeaders(Number(received[':status']), flat(received));
    });
    stream.on('data', (chunk: Buffer) => {
      if (over) return;
      try {
        onData(chunk);
      } catch (error) {
        giveUp(error as Error);
      }
    });
    stream.on('error', (error) => {
      broken = error;
    });
    stream.on('close', () => end(ending(stream, answered, broken)));
  });
}

/** What the end of a stream means. A stream that is reset ends like a whole one: only its code tells them apart. */
function ending({ rstCode, id }: ClientHttp2Stream, answered: boolean, broken: Error | undefined): Error | undefined {
  if (answered && broken === undefined && rstCode === constants.NGHTTP2_NO_ERROR) return undefined;
  const options = broken ? { cause: broken } : {};
  const notProcessed = !answered && (id === undefined || rstCode === constants.NGHTTP2_REFUSED_STREAM);
  if (notProcessed) return new NotProcessedError('the API server did not take the request', options);
  return new UnreachableError('the connection to the API server was cut', options);
}

function flat(headers: Record<string, string | string[] | number | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])));
}
