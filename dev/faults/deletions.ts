import type { Client } from '#agent/cluster/client.ts';
import { type KindWatch, watchKind } from '#agent/cluster/watch.ts';
import { systemClock } from '#core/clock.ts';
import { silentLog } from '#core/log.ts';
import { WITNESSED } from './wanted.ts';

export interface Deletion {
  kind: string;
  name: string;
  uid: string;
}

/** Every object that leaves the namespace, by UID, whoever deleted it. */
export interface Deletions {
  seen(): readonly Deletion[];
  stop(): void;
}

export async function watchDeletions(client: Client, namespace: string): Promise<Deletions> {
  const seen: Deletion[] = [];
  const watches: KindWatch[] = [];
  for (const [apiVersion, name] of WITNESSED) {
    const kind = await client.kinds.find(apiVersion, name);
    if (!kind) throw new Error(`the API server does not know ${name}`);
    const watch = watchKind(client, {
      kind,
      namespace,
      metadataOnly: true,
      onEvent: ({ type, object: { metadata } }) => {
        if (type === 'deleted') seen.push({ kind: name, name: metadata.name ?? '', uid: metadata.uid ?? '' });
      },
      clock: systemClock,
      random: Math.random,
      log: silentLog,
    });
    watches.push(watch);
    await watch.synced;
  }
  return {
    seen: () => seen,
    stop: () => {
      for (const watch of watches) watch.stop();
    },
  };
}
