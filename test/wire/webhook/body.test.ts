import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { BodyReader } from '#webhook/body.ts';

type Arriving = PassThrough & IncomingMessage;

function arriving(length?: number): Arriving {
  const headers = length === undefined ? {} : { 'content-length': String(length) };
  return Object.assign(new PassThrough(), { headers }) as unknown as Arriving;
}

/** Bodies that arrive together, a piece of each in turn, while the one before has been read already. */
async function readTogether(reader: BodyReader, texts: readonly string[]): Promise<string[]> {
  const requests = texts.map((text) => arriving(Buffer.byteLength(text)));
  const bodies = requests.map((request) => reader.read(request));
  const longest = Math.max(...texts.map(({ length }) => length));
  for (let at = 0; at < longest; at += 10_000) {
    for (const [index, text] of texts.entries()) if (at < text.length) requests[index]!.write(text.slice(at, at + 10_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const request of requests) request.end();
  const read = await Promise.all(bodies);
  const received = read.map((body) => body.toString('utf8'));
  for (const body of read) reader.done(body);
  return received;
}

// Below, in and above what is read into memory that is used again; twice, since the second time there is such memory.
it.each([100, 16_384, 16_385, 40_000, 200_000, 524_288, 524_289, 700_000])('bodies of %i bytes at once stay apart', async (size) => {
  const reader = new BodyReader(8 * 1024 * 1024);
  for (let round = 0; round < 3; round++) {
    const texts = ['a', 'b', 'c', 'd'].map((letter, index) => letter.repeat(size - index));
    const received = await readTogether(reader, texts);
    expect(received.map((text, index) => text === texts[index])).toEqual([true, true, true, true]);
  }
});

it('takes a body that does not say how long it is', async () => {
  const request = arriving();
  const body = new BodyReader(100_000).read(request);
  request.write('x'.repeat(40_000));
  request.end('y');
  expect((await body).toString()).toBe(`${'x'.repeat(40_000)}y`);
});

it('takes no memory for the next body but its own, and that once', async () => {
  const reader = new BodyReader(100_000);
  // As large as what it keeps, and a piece of what somebody else reads.
  const foreign = Buffer.alloc(32_768, 'z');
  reader.done(foreign);
  const first = arriving(32_768);
  const read = reader.read(first);
  first.end('a'.repeat(32_768));
  const body = await read;
  reader.done(body);
  reader.done(body);
  expect(await readTogether(reader, ['b'.repeat(32_768), 'c'.repeat(32_768)])).toEqual(['b'.repeat(32_768), 'c'.repeat(32_768)]);
  expect(foreign.every((byte) => byte === 'z'.charCodeAt(0))).toBe(true);
});
