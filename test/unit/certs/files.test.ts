import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCertificateFiles } from '#certs/files.ts';
import { issueAuthority, issueServing, type KeyPair } from '#certs/issue.ts';

const VALIDITY = { nowMs: Date.now(), lifeMs: 3_600_000 };

let folder: string;
let authority: KeyPair;
let serving: KeyPair;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lateen-'));
  authority = await issueAuthority(VALIDITY);
  serving = await issueServing(authority, ['webhook.test'], VALIDITY);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function read(changes: Record<string, string | undefined> = {}): Promise<unknown> {
  const files = { 'tls.crt': serving.cert, 'tls.key': serving.key, 'ca.crt': authority.cert, ...changes };
  for (const [name, text] of Object.entries(files))
    await (text === undefined ? rm(join(folder, name)) : writeFile(join(folder, name), text));
  return readCertificateFiles(folder);
}

describe('certificates in files', () => {
  it('are read where they belong together', async () => {
    expect(await read()).toEqual({ serving, authorities: authority.cert });
  });

  it.each<[string, () => Record<string, string | undefined>, string]>([
    [
      'a missing file',
      () => ({ 'ca.crt': undefined }),
      'has no file ca.crt; the Secret of the webhook needs the keys tls.crt, tls.key and ca.crt',
    ],
    [
      'a key of another certificate',
      () => ({ 'tls.key': authority.key }),
      'tls.key is not that of the certificate in tls.crt; write both anew',
    ],
    ['a bundle without a certificate', () => ({ 'ca.crt': 'hello' }), 'ca.crt holds no certificate in PEM'],
    ['a certificate that is none', () => ({ 'tls.crt': 'hello' }), 'is no PEM that can be read'],
    ['a key that is none', () => ({ 'tls.key': 'hello' }), 'is no PEM that can be read'],
  ])('are refused for %s, in words that hold no key', async (_name, changes, words) => {
    const problem = await read(changes()).then(String, (error: Error) => error.message);
    expect(problem).toContain(words);
    expect(problem).not.toContain(serving.key.split('\n')[1]);
  });
});
