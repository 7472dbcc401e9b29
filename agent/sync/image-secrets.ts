import { Failure } from '#api/failure.ts';
import type { KubeObject } from '#api/kubernetes.ts';
import type { Redactor } from '#core/redact.ts';
import { type DockerConfig, dockerConfigOf } from '../image/docker-config.ts';

/** The pull Secret of an image, its passwords known to the redactor from now on. Throws Failure. */
export function pullSecret(name: string, secret: KubeObject | undefined, redactor: Redactor): DockerConfig {
  if (!secret) {
    throw new Failure('SecretNotFound', `there is no Secret ${name}, which imageRepository.secretRef names`, {
      kind: 'stalled',
      remedy: `make it: kubectl create secret docker-registry ${name}`,
    });
  }
  const config = dockerConfigOf(secret);
  for (const { password, identityToken, registryToken } of config.entries) {
    for (const text of [password, identityToken, registryToken]) if (text) redactor.register(text);
  }
  return config;
}
