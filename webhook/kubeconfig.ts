import type { RequestOptions } from 'node:https';
// oxlint-disable-next-line no-restricted-imports -- the other place that loads it: design decision 11
import { KubeConfig } from '@kubernetes/client-node';
import type { Connection } from './cluster.ts';

/** A kubeconfig, credential plugins included; loaded only where one is named. Throws with the name of the file. */
export function kubeconfigConnection(file: string, context: string): Connection {
  const config = new KubeConfig();
  config.loadFromFile(file);
  if (context !== '') {
    if (!config.getContextObject(context)) throw new Error(`the kubeconfig ${file} has no context ${JSON.stringify(context)}`);
    config.setCurrentContext(context);
  }
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error(`the kubeconfig ${file} names no cluster; pass --context NAME`);
  return {
    server: cluster.server.replace(/\/+$/, ''),
    async options() {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      // Its own agent would keep no connection.
      delete options.agent;
      return options;
    },
  };
}
