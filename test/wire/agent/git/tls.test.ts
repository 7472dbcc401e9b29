import { afterEach, expect, it } from 'vitest';
import { credentialsFromSecret } from '#agent/git/credentials.ts';
import { seedRepository } from '#dev/seed.ts';
import { selfSignedCertificate } from '#test/support/certificate.ts';
import { type GitBench, secretObject, startGitBench } from '#test/support/git.ts';

const OPTIONS = { timeoutMs: 15_000 };
const USERS = [{ name: 'reader', password: 'reads-only', write: false }];

let bench: GitBench | undefined;

afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

it('trusts a server by the ca.crt of the Secret, and no server without', async () => {
  const tls = selfSignedCertificate();
  bench = await startGitBench({ tls, users: USERS });
  const seed = await seedRepository(await bench.server.createRepository('seed'));
  const url = bench.server.cloneUrl('seed');
  const resolve = (values: Record<string, string>) =>
    bench!.git.resolve({ url, credentials: credentialsFromSecret(secretObject(values), 'git-secret', url) }, 'infra', OPTIONS);
  const basic = { username: 'reader', password: 'reads-only' };

  expect((await resolve({ ...basic, 'ca.crt': tls.cert })).commit).toBe(seed.infra);
  expect((await resolve({ ...basic, caFile: tls.cert })).commit).toBe(seed.infra);
  await expect(resolve(basic)).rejects.toMatchObject({
    reason: 'TLSFailed',
    kind: 'transient',
    remedy: 'put the certificate of its authority as ca.crt into the Secret that secretRef names',
  });
  await expect(resolve({ ...basic, 'ca.crt': selfSignedCertificate().cert })).rejects.toMatchObject({
    reason: 'TLSFailed',
    remedy: 'correct ca.crt in the Secret that secretRef names',
  });
  await expect(bench.git.resolve({ url }, 'infra', OPTIONS)).rejects.toMatchObject({ reason: 'TLSFailed' });
});

it('does not trust a certificate of another address', async () => {
  const tls = selfSignedCertificate('127.0.0.2');
  bench = await startGitBench({ tls });
  await seedRepository(await bench.server.createRepository('seed'));
  const repository = { url: bench.server.cloneUrl('seed'), credentials: { caCert: tls.cert } };
  await expect(bench.git.resolve(repository, 'infra', OPTIONS)).rejects.toMatchObject({ reason: 'TLSFailed' });
});

it('does not trust a certificate that has expired', async () => {
  const tls = selfSignedCertificate('127.0.0.1', Date.now() - 3 * 86_400_000);
  bench = await startGitBench({ tls });
  await seedRepository(await bench.server.createRepository('seed'));
  const repository = { url: bench.server.cloneUrl('seed'), credentials: { caCert: tls.cert } };
  await expect(bench.git.resolve(repository, 'infra', OPTIONS)).rejects.toMatchObject({ reason: 'TLSFailed' });
});
