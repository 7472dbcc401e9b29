import { request } from 'node:https';

export interface SelfCheck {
  port: number;
  /** The address that it listens on; undefined: all. */
  host: string | undefined;
  /** `lateen-webhook.lateen-system.svc`: the name that the API server asks for. */
  serverName: string;
  /** PEM: what the API server trusts. */
  bundle: string;
}

const DEADLINE_MS = 3_000;

/** Asks the own /healthz as the API server would. Undefined: it answers. A sentence: why it does not. */
export function checkSelf({ port, host, serverName, bundle }: SelfCheck): Promise<string | undefined> {
  if (bundle === '') return Promise.resolve('a webhook configuration holds no caBundle');
  const address = host === undefined || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return new Promise((resolve) => {
    const options = { host: address, port, path: '/healthz', ca: bundle, servername: serverName, agent: false, timeout: DEADLINE_MS };
    const asked = request({ ...options, headers: { host: serverName } }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200 ? undefined : `it answers itself with ${response.statusCode}`));
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer in ${DEADLINE_MS / 1000} s`)));
    asked.on('error', (error) =>
      resolve(`it does not reach itself as ${serverName} with the bundle of the webhook configuration: ${error.message}`),
    );
    asked.end();
  });
}
