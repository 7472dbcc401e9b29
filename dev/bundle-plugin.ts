import { createRequire } from 'node:module';
import type { Plugin } from 'esbuild';

/** What a module imports without our programs ever calling it: by the module's path, then by the name that it is imported by. */
interface Unreached {
  importer: RegExp;
  /** How the importer takes it: `import` or `require`. */
  by: 'import' | 'require';
  /** The names that are taken from it. Each is a function that throws; one that is missing fails the build of an ES module. */
  imports: Readonly<Record<string, readonly string[]>>;
}

const CLIENT_NODE = '@kubernetes/client-node';

/**
 * Of @kubernetes/client-node our programs call KubeConfig alone, and of that never what speaks to an API server or
 * through a proxy (agent/cluster/kubeconfig.ts refuses those). Yet it imports all models, APIs and undici, which a bundle
 * keeps in memory as text even where nobody asks for a kubeconfig: 10 MB in every agent (measured).
 */
const OF_CLIENT_NODE: Unreached = {
  importer: /\/client-node\/dist\/config\.js$/,
  by: 'import',
  imports: {
    undici: ['Agent', 'ProxyAgent'],
    socks: ['SocksClient'],
    'socks-proxy-agent': ['SocksProxyAgent'],
    hpagent: ['HttpProxyAgent', 'HttpsProxyAgent'],
    './gen/index.js': ['createConfiguration', 'ServerConfiguration'],
  },
};

/**
 * The webhook reads bodies itself (webhook/body.ts), serves no files and takes no queries. What express has for these holds
 * tables of media types, four times, and of character sets: half of the bundle, 5 MB in memory (measured).
 */
const OF_EXPRESS: readonly Unreached[] = [
  {
    importer: /\/express\/lib\/\w+\.js$/,
    by: 'require',
    imports: { 'body-parser': ['json', 'raw', 'text', 'urlencoded'], 'serve-static': [], send: [], qs: ['parse'] },
  },
  { importer: /\/mime-types\/index\.js$/, by: 'require', imports: { 'mime-db': [] } },
];

const UNREACHED = [OF_CLIENT_NODE, ...OF_EXPRESS];
const NAMESPACE = 'unreached';

/** Leaves out of a bundle what no program of ours reaches. */
export const withoutUnreached: Plugin = {
  name: 'without-unreached',
  setup(build) {
    const config = createRequire(import.meta.url).resolve(`${CLIENT_NODE}/dist/config.js`);
    build.onResolve({ filter: new RegExp(`^${CLIENT_NODE}$`) }, () => ({ path: config }));
    build.onResolve({ filter: /^/ }, ({ path, importer }) => {
      const unreached = UNREACHED.find((one) => one.importer.test(importer));
      const names = unreached?.imports[path];
      return names && { path, namespace: NAMESPACE, pluginData: contentsOf(names, unreached.by) };
    });
    build.onLoad({ filter: /^/, namespace: NAMESPACE }, ({ pluginData }) => ({ contents: pluginData as string }));
  },
};

function contentsOf(names: readonly string[], by: Unreached['by']): string {
  const functions = names.map(throwing);
  return by === 'import' ? functions.map((one) => `export function ${one}`).join('\n') : `module.exports = { ${functions.join(', ')} };`;
}

/** A function as a method is written. */
function throwing(name: string): string {
  return `${name}() { throw new Error('${name} is not part of this bundle (dev/bundle-plugin.ts)'); }`;
}
