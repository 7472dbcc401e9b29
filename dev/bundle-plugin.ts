import { createRequire } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * Of @kubernetes/client-node our programs call KubeConfig alone, and of that never what speaks to an API server or
 * through a proxy (agent/cluster/kubeconfig.ts refuses those). Yet it imports all models, APIs and undici, which a bundle
 * keeps in memory as text even where nobody asks for a kubeconfig: 10 MB in every agent (measured). Each name here is
 * replaced by a function that throws; one that is missing fails the build.
 */
const UNREACHED: Readonly<Record<string, readonly string[]>> = {
  undici: ['Agent', 'ProxyAgent'],
  socks: ['SocksClient'],
  'socks-proxy-agent': ['SocksProxyAgent'],
  hpagent: ['HttpProxyAgent', 'HttpsProxyAgent'],
  './gen/index.js': ['createConfiguration', 'ServerConfiguration'],
};

const PACKAGE = '@kubernetes/client-node';
const NAMESPACE = 'unreached';

export const kubeconfigAlone: Plugin = {
  name: 'kubeconfig-alone',
  setup(build) {
    const config = createRequire(import.meta.url).resolve(`${PACKAGE}/dist/config.js`);
    build.onResolve({ filter: new RegExp(`^${PACKAGE}$`) }, () => ({ path: config }));
    build.onResolve({ filter: /^/ }, ({ path, importer }) => {
      return importer === config && UNREACHED[path] ? { path, namespace: NAMESPACE } : undefined;
    });
    build.onLoad({ filter: /^/, namespace: NAMESPACE }, ({ path }) => ({ contents: (UNREACHED[path] ?? []).map(throwing).join('\n') }));
  },
};

function throwing(name: string): string {
  return `export function ${name}() { throw new Error('${name} is not part of this bundle (dev/bundle-plugin.ts)'); }`;
}
