import { ApiError } from '#agent/cluster/client.ts';
import { UnreachableError } from '#agent/cluster/wire.ts';
import { Failure } from '#api/failure.ts';
import { messageOf, oneLine, toError } from '#core/errors.ts';
import { CommandError, exit } from './exit.ts';

const CHOOSE = 'check that it runs, or choose another with --context or --kubeconfig';

/** How the API server begins the refusal of a webhook, which answers with a status of its own choice. */
const WEBHOOK = /^admission webhook /;

const PROBLEMS: Record<string, string> = {
  ECONNREFUSED: 'it refuses the connection',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name could not be looked up',
  ECONNRESET: 'it cut the connection',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its network',
};

/** Why the API server gave no answer that can be used, as one sentence with its URL. What is said already stays. */
export function unanswered(error: unknown, server: string): unknown {
  if (error instanceof CommandError || error instanceof Failure) return error;
  if (error instanceof ApiError) return refused(error, server);
  const known = network(error);
  return known ? new CommandError(exit.couldNotAsk, `cannot reach the API server ${server}: ${known.problem}`, known.remedy) : error;
}

function refused(error: ApiError, server: string): CommandError {
  const { status, asked } = error;
  if (WEBHOOK.test(error.message)) return new CommandError(exit.no, oneLine(error.message));
  if (status === 401) {
    return new CommandError(
      exit.couldNotAsk,
      `the API server ${server} does not accept your credentials`,
      'log in again, or choose another --context',
    );
  }
  if (status === 403) {
    const resource = asked.group === '' ? asked.resource : `${asked.resource}.${asked.group}`;
    const where = asked.namespace ? `in the namespace ${asked.namespace}` : 'in all namespaces';
    const remedy = asked.namespace ? 'choose a namespace with -n, or ask for the right' : 'name one namespace with -n';
    return new CommandError(exit.couldNotAsk, `you may not ${asked.verb} ${resource} ${where}`, remedy);
  }
  if (status === 404) {
    return new CommandError(
      exit.couldNotAsk,
      `the API server ${server} does not know Applications (core.oam.dev/v1beta1)`,
      'install the chart lateen, which brings their CRD',
    );
  }
  return new CommandError(exit.couldNotAsk, `the API server ${server} answered ${status}: ${oneLine(error.message)}`);
}

function network(error: unknown): { problem: string; remedy: string } | undefined {
  const { name, code = '', message, cause } = toError(error) as Error & { code?: string };
  const deeper = cause === undefined ? undefined : network(cause);
  if (deeper) return deeper;
  if (error instanceof UnreachableError && cause === undefined) return { problem: 'it does not answer in time', remedy: CHOOSE };
  if (name === 'TimeoutError') return { problem: 'it does not answer', remedy: CHOOSE };
  const known = PROBLEMS[code];
  if (known) return { problem: known, remedy: CHOOSE };
  if (/^(ERR_TLS_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_)/.test(code)) {
    return { problem: `its certificate is not trusted (${code})`, remedy: 'check certificate-authority-data in the kubeconfig' };
  }
  if (/^(E[A-Z]+|ERR_HTTP2_.*|ERR_SSL_.*)$/.test(code) || /API server|connection/.test(message)) {
    return { problem: oneLine(messageOf(error)), remedy: CHOOSE };
  }
  return undefined;
}
