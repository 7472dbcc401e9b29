import { parseDuration } from '#api/duration.ts';
import { LEVELS } from '#core/log.ts';
import { parseOneOf, parseText } from '#core/settings.ts';

function parsePositive(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) throw new Error('expected a Go duration such as 10s or 5m');
  return ms;
}

function parseLife(text: string): number {
  const ms = parsePositive(text);
  if (ms < 6_000) throw new Error('expected 6s or more');
  return ms;
}

function parseHosts(text: string): string[] {
  const hosts = text.split(',').map((host) => host.trim());
  return hosts.filter((host) => host !== '');
}

function parseAddress(text: string): { host: string | undefined; port: number } {
  const match = /^(.*):(\d{1,5})$/.exec(text);
  if (!match || Number(match[2]) > 65_535) throw new Error('expected HOST:PORT or :PORT, such as 127.0.0.1:9443');
  return { host: match[1] || undefined, port: Number(match[2]) };
}

/** Every setting of the webhook: the one table behind flags, environment variables, `--help` and docs/reference.md. */
export const webhookSettings = {
  address: {
    placeholder: 'HOST:PORT',
    help: 'where the API server reaches it; 10250 is open in many private clusters',
    default: ':9443',
    parse: parseAddress,
  },
  namespace: { placeholder: 'NS', help: 'namespace of its Service and of its Secret', default: 'lateen-system', parse: parseText },
  service: { placeholder: 'NAME', help: 'name of its Service', default: 'lateen-webhook', parse: parseText },
  hosts: {
    placeholder: 'LIST',
    help: 'more host names and addresses for its certificate, for a webhook outside of the cluster',
    default: '',
    parse: parseHosts,
  },
  secret: { placeholder: 'NAME', help: 'the Secret that holds its certificates', default: 'lateen-webhook-tls', parse: parseText },
  configuration: { placeholder: 'NAME', help: 'name of its two webhook configurations', default: 'lateen', parse: parseText },
  certificateLife: {
    placeholder: 'DURATION',
    help: 'how long its certificate lives; renewed at two thirds, and the authority at two thirds of four times that',
    default: '2160h',
    parse: parseLife,
  },
  certificateFiles: {
    placeholder: 'DIR',
    help: 'folder with tls.crt, tls.key and ca.crt that others make, such as a mounted Secret; read again when they change; without it the webhook makes its own',
    default: '',
    parse: parseText,
  },
  minInterval: {
    placeholder: 'DURATION',
    help: 'the shortest pullInterval that an Application may ask for; that of the agents',
    default: '10s',
    parse: parsePositive,
  },
  drain: {
    placeholder: 'DURATION',
    help: 'how long it goes on after a SIGTERM, until everybody has heard of it',
    default: '5s',
    parse: parsePositive,
  },
  kubeconfig: { placeholder: 'FILE', help: 'kubeconfig file; without it the token of the Pod is used', default: '', parse: parseText },
  context: { placeholder: 'NAME', help: 'context of the kubeconfig file', default: '', parse: parseText },
  logLevel: { placeholder: LEVELS.join('|'), help: 'least severe level that is logged', default: 'info', parse: parseOneOf(...LEVELS) },
} as const;
