import type { Application } from '#api/application.ts';
import { parseDuration } from '#api/duration.ts';
import { type KustomizeProperties, kustomizeProperties } from '#api/kustomize.ts';
import type { SourceKey, Sources } from '../sync/source.ts';

/** What a component pulls, and how. */
export interface Pulling {
  key: SourceKey;
  intervalMs: number;
  timeoutMs: number;
}

export function pullingOf(properties: KustomizeProperties, gitTimeoutMs: number): Pulling {
  const { url, git, secretRef, pullInterval, timeout } = properties;
  return {
    key: { url, ...(git?.branch ? { branch: git.branch } : {}), ...(secretRef ? { secretRef } : {}) },
    intervalMs: parseDuration(pullInterval) ?? 300_000,
    timeoutMs: (timeout && parseDuration(timeout)) || gitTimeoutMs,
  };
}

/**
 * Begins to pull what the components of an Application are about to ask for, while its revision is being made. Only for those
 * whose turn comes at once. Returns what ends it: by then the components follow their sources themselves.
 */
export function pullAhead({ spec }: Application, { sources, gitTimeoutMs }: { sources: Sources; gitTimeoutMs: number }): () => void {
  const first = spec.workflow ? [] : spec.components.filter(({ type, dependsOn = [] }) => type === 'kustomize' && dependsOn.length === 0);
  const releases = first.map(kustomizeProperties).flatMap((properties) => {
    const { key, intervalMs, timeoutMs } = pullingOf(properties, gitTimeoutMs);
    return properties.suspend ? [] : [sources.use(key, { intervalMs, timeoutMs, onChange: () => undefined }).release];
  });
  return () => releases.forEach((release) => release());
}
