import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDuration } from '#api/duration.ts';
import { LEVELS } from '#core/log.ts';
import { parseOneOf, parseText, parseWholeNumber } from '#core/settings.ts';

function parseInterval(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) throw new Error('expected a Go duration such as 10s or 5m');
  return ms;
}

function parseHosts(text: string): string[] {
  return text
    .split(',')
    .map((host) => host.trim())
    .filter((host) => host !== '');
}

function parseIdentity(text: string): 'impersonated' | 'trusted' | undefined {
  return text === '' ? undefined : parseOneOf('impersonated', 'trusted')(text);
}

/** Every setting of the agent: the one table behind flags, environment variables, `--help` and docs/reference.md. */
export const agentSettings = {
  namespace: { placeholder: 'NS', help: 'the namespace whose Applications are reconciled', parse: parseText },
  applications: {
    placeholder: 'all|gitops',
    help: 'all: every Application of the namespace; gitops: only those with a kustomize component, beside vela-core; the chart asks for it and has no default',
    default: 'all',
    parse: parseOneOf('all', 'gitops'),
  },
  velaCoreIdentity: {
    placeholder: 'impersonated|trusted',
    help: 'beside vela-core: with whose rights it runs the Applications that come from Git; without a word those are refused',
    default: '',
    parse: parseIdentity,
  },
  minInterval: {
    placeholder: 'DURATION',
    help: 'the shortest pullInterval that an Application may ask for',
    default: '10s',
    parse: parseInterval,
  },
  revisionLimit: {
    placeholder: 'N',
    help: 'ApplicationRevisions that are kept of an Application, besides the one that runs',
    default: '10',
    parse: parseWholeNumber,
  },
  gitTimeout: {
    placeholder: 'DURATION',
    help: 'deadline of one call of git where the component sets no timeout',
    default: '60s',
    parse: parseInterval,
  },
  quietWindow: {
    placeholder: 'DURATION',
    help: 'so long new image tags wait for others of the same repository, to become one commit',
    default: '2s',
    parse: parseInterval,
  },
  insecureRegistries: {
    placeholder: 'HOST,…',
    help: 'image registries that are spoken to without TLS, besides those on loopback',
    default: '',
    parse: parseHosts,
  },
  cacheDir: {
    placeholder: 'DIR',
    help: 'where fetched repositories are kept; may be deleted at any time',
    default: join(tmpdir(), 'lateen-agent'),
    parse: parseText,
  },
  kustomize: { placeholder: 'PATH', help: 'the kustomize program', default: 'kustomize', parse: parseText },
  kubeconfig: { placeholder: 'FILE', help: 'kubeconfig file; without it the token of the Pod is used', default: '', parse: parseText },
  context: { placeholder: 'NAME', help: 'context of the kubeconfig file', default: '', parse: parseText },
  healthAddress: {
    placeholder: 'HOST:PORT',
    help: 'where /healthz and /readyz answer; /healthz fails where the Lease was neither renewed nor lost for twice its life',
    default: ':8080',
    parse: parseAddress,
  },
  leaseDuration: {
    placeholder: 'DURATION',
    help: 'after so long without a renewal another replica may take over; renewed three times as often',
    default: '30s',
    parse: parseInterval,
  },
  identity: {
    placeholder: 'NAME',
    help: 'name under which this replica holds the Lease, such as that of its Pod; without it the host name and a random part',
    default: '',
    parse: parseText,
  },
  sharedInventories: {
    placeholder: 'auto|never|always',
    help: 'whose inventories share ConfigMaps; auto: those of Applications that are first applied while API requests queue',
    default: 'auto',
    parse: parseOneOf('auto', 'never', 'always'),
  },
  maxRequests: { placeholder: 'N', help: 'API requests in flight at a time', default: '32', parse: parseWholeNumber },
  logLevel: { placeholder: LEVELS.join('|'), help: 'least severe level that is logged', default: 'info', parse: parseOneOf(...LEVELS) },
} as const;

function parseAddress(text: string): { host: string | undefined; port: number } {
  const match = /^(.*):(\d{1,5})$/.exec(text);
  if (!match || Number(match[2]) > 65_535) throw new Error('expected HOST:PORT or :PORT, such as 127.0.0.1:8080');
  return { host: match[1] || undefined, port: Number(match[2]) };
}
