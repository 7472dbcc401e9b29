import type { DockerConfig } from '#agent/image/docker-config.ts';
import { listTags } from '#agent/image/registry.ts';
import { Failure } from '#api/failure.ts';
import { parseImage } from '#api/image/reference.ts';

/** How long the listing would have waited, in milliseconds. */
export const naps: number[] = [];
/** Waits for nobody. */
const clock = { now: () => Date.now(), sleep: async (ms: number) => void naps.push(ms) };

export interface Ask {
  host: string;
  repository?: string;
  config?: () => Promise<DockerConfig | undefined>;
  timeoutMs?: number;
}

/** Lists the tags of `repository` on a registry of loopback. */
export async function list({ host, repository = 'org/app', config, timeoutMs = 10_000 }: Ask): Promise<string[]> {
  const parsed = parseImage(`${host}/${repository}`);
  if ('problem' in parsed) throw new Error(parsed.problem.text);
  const request = { image: parsed.image, signal: AbortSignal.timeout(timeoutMs), ...(config ? { config } : {}) };
  return listTags(request, { userAgent: 'lateen-test', insecureRegistries: [], clock });
}

/** The same where it must fail. */
export async function failure(
  ask: Ask,
): Promise<{ reason: string; message: string; remedy: string | undefined; retryAfterMs: number | undefined }> {
  const error: unknown = await list(ask).then(
    () => 'no failure',
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) throw new Error(`not a Failure: ${String(error)}`);
  const { reason, message, remedy, retryAfterMs } = error;
  return { reason, message, remedy, retryAfterMs };
}
