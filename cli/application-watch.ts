import { ApiError } from '#agent/cluster/client.ts';
import { watchKind } from '#agent/cluster/watch.ts';
import type { Application } from '#api/application.ts';
import { silentLog } from '#core/log.ts';
import { APPLICATION } from './applications.ts';
import type { Cluster } from './cluster.ts';
import { CommandError, exit } from './exit.ts';
import type { Io } from './io.ts';

export interface WaitOptions {
  name: string;
  timeoutMs: number;
  until: (application: Application) => boolean;
}

/** Watches one Application until it is as asked. Undefined where the time is over first. Throws where it goes, or may not be watched. */
export async function waitForApplication(io: Io, cluster: Cluster, options: WaitOptions): Promise<Application | undefined> {
  const { name, timeoutMs, until } = options;
  const { client, namespace } = cluster;
  const over = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<Application | undefined>();
  const watch = watchKind(client, {
    kind: APPLICATION,
    namespace,
    fieldSelector: `metadata.name=${name}`,
    clock: io.clock,
    random: Math.random,
    log: silentLog,
    onEvent: ({ type, object }) => {
      const application = object as unknown as Application;
      if (type === 'deleted') reject(new CommandError(exit.no, `the Application ${name} was deleted while it was waited for`));
      else if (until(application)) resolve(application);
    },
    // A server that is away for a moment is asked again until the time is over; a refusal stays one.
    onError: (error) => {
      if (error instanceof ApiError && (error.status === 403 || error.status === 401)) reject(error);
    },
  });
  io.clock.sleep(timeoutMs, over.signal).then(
    () => resolve(undefined),
    () => undefined,
  );
  try {
    return await promise;
  } finally {
    over.abort();
    watch.stop();
  }
}
