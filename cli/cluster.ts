import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createClient, type Client } from '#agent/cluster/client.ts';
import { type Connection, inClusterConnection, kubeconfigConnection } from '#agent/cluster/connection.ts';
import { Failure } from '#api/failure.ts';
import { silentLog } from '#core/log.ts';
import manifest from '../package.json' with { type: 'json' };
import type { GlobalOptions } from './command.ts';
import { CommandError, exit } from './exit.ts';
import type { Io } from './io.ts';
import { unanswered } from './unanswered.ts';

/** The cluster that a command asks, with the namespace that it means. */
export interface Cluster {
  client: Client;
  server: string;
  namespace: string;
}

/** Connects, runs, and closes. What goes wrong on the way is said in one sentence that names the server. */
export async function withCluster<Result>(io: Io, options: GlobalOptions, run: (cluster: Cluster) => Promise<Result>): Promise<Result> {
  const connection = await connect(io, options);
  const client = createClient(connection, { log: silentLog, userAgent: `lateen/${manifest.version}` });
  try {
    return await run({ client, server: connection.server, namespace: options.namespace ?? connection.namespace ?? 'default' });
  } catch (error) {
    throw unanswered(error, connection.server);
  } finally {
    client.transport.close();
  }
}

async function connect(io: Io, { kubeconfig, context }: GlobalOptions): Promise<Connection> {
  const path = kubeconfig ?? kubeconfigFile(io);
  if (path !== undefined && !existsSync(path)) {
    throw new CommandError(exit.couldNotAsk, `there is no kubeconfig ${path}`, 'pass --kubeconfig FILE, or set KUBECONFIG');
  }
  if (path === undefined && io.env['KUBERNETES_SERVICE_HOST']) return inClusterConnection();
  if (path === undefined) {
    throw new CommandError(
      exit.couldNotAsk,
      'there is no kubeconfig: KUBECONFIG is not set and ~/.kube/config does not exist',
      'pass --kubeconfig FILE',
    );
  }
  // KUBECONFIG with several files is merged by the library, as kubectl does; one file may be named.
  const merged = kubeconfig === undefined && (io.env['KUBECONFIG'] ?? '').includes(delimiter);
  try {
    return await kubeconfigConnection({ ...(merged ? {} : { path }), ...(context ? { context } : {}) });
  } catch (error) {
    throw error instanceof Failure ? new CommandError(exit.couldNotAsk, error.message, error.remedy) : error;
  }
}

/** The file that kubectl would read; the first that exists where KUBECONFIG names several. */
function kubeconfigFile(io: Io): string | undefined {
  const named = (io.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  if (named.length > 0) return named.find((path) => existsSync(path)) ?? named[0];
  const usual = join(io.env['HOME'] ?? homedir(), '.kube', 'config');
  return existsSync(usual) ? usual : undefined;
}
