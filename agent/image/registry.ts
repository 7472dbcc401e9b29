import { rootCertificates } from 'node:tls';
import type { ImageName } from '#api/image/reference.ts';
import { Failure } from '#api/failure.ts';
import type { Clock } from '#core/clock.ts';
import { type Http, type HttpAnswer, openHttp } from '#core/http.ts';
import { type Challenge, usableChallenge } from './challenge.ts';
import { credentialsFor, type DockerConfig, type RegistryCredentials } from './docker-config.ts';
import { failureOfAnswer, failureOfSocket, isNotTls, retryAfter } from './registry-error.ts';
import { hostOf, isLoopback } from './registry-host.ts';
import { basicHeader, fetchToken } from './token.ts';

export interface RegistryOptions {
  userAgent: string;
  /** Hosts (with port) that may be spoken to without TLS, besides loopback. */
  insecureRegistries: readonly string[];
  clock: Clock;
}

export interface ListRequest {
  image: ImageName;
  /** Of the Secret that imageRepository.secretRef names; asked for again where the registry refuses what it gave. */
  config?: () => Promise<DockerConfig | undefined>;
  /** Ends the listing: deadline and shutdown. */
  signal: AbortSignal;
}

/** All tags of an image, each once, in the order of the registry. Throws Failure, or the reason of the signal. */
export async function listTags(request: ListRequest, options: RegistryOptions): Promise<string[]> {
  const config = await request.config?.();
  const first = credentialsFor(config ?? { entries: [] }, request.image);
  try {
    return await listWithAny(first, config, request, options);
  } catch (error) {
    if (!(error instanceof Failure) || error.reason !== 'RegistryAuthFailed' || !request.config) throw error;
    const again = await request.config();
    if (JSON.stringify(again) === JSON.stringify(config)) throw error;
    return listWithAny(credentialsFor(again ?? { entries: [] }, request.image), again, request, options);
  }
}

/** One listing per entry that fits, until one is let in; without any, a listing for everybody. */
async function listWithAny(
  all: RegistryCredentials[],
  config: DockerConfig | undefined,
  request: ListRequest,
  options: RegistryOptions,
): Promise<string[]> {
  let refusal: unknown;
  for (const credentials of all.length > 0 ? all : [undefined]) {
    const authorities = config?.ca ? { ca: [...rootCertificates, config.ca] } : {};
    const http = openHttp({ signal: request.signal, userAgent: options.userAgent, ...authorities });
    try {
      return await new Listing(http, { credentials, config, request, options }).run();
    } catch (error) {
      request.signal.throwIfAborted();
      refusal = failureOfSocket(error, request.image.registry);
      if ((refusal as Failure).reason !== 'RegistryAuthFailed') throw refusal;
    } finally {
      http.close();
    }
  }
  throw refusal;
}

const PAGE_BYTES = 8 * 1024 * 1024;
const MAX_PAGES = 1_000;
const MAX_TAGS = 100_000;
const TRIES = 3;
/** Waits within one listing; longer ones are for the next scan. */
const PATIENCE_MS = 5_000;

interface ListingContext {
  credentials: RegistryCredentials | undefined;
  config: DockerConfig | undefined;
  request: ListRequest;
  options: RegistryOptions;
}

class Listing {
  readonly #http: Http;
  readonly #context: ListingContext;
  readonly #who: string;
  #origin: URL;
  #authorization: Record<string, string> = {};

  constructor(http: Http, context: ListingContext) {
    this.#http = http;
    this.#context = context;
    this.#who = describe(context);
    this.#origin = new URL(`https://${hostOf(context.request.image.registry)}`);
    if (context.credentials?.registryToken) this.#authorization = { authorization: `Bearer ${context.credentials.registryToken}` };
  }

  async run(): Promise<string[]> {
    const { image } = this.#context.request;
    await this.#hello();
    const tags = new Set<string>();
    const visited = new Set<string>();
    let next: URL | undefined = new URL(`/v2/${image.repository}/tags/list?n=1000`, this.#origin);
    while (next) {
      if (visited.has(next.href) || visited.size >= MAX_PAGES) throw this.#failed('its pages of tags lead nowhere');
      visited.add(next.href);
      const answer: HttpAnswer = await this.#get(next);
      for (const tag of this.#tagsOf(answer)) tags.add(tag);
      if (tags.size > MAX_TAGS)
        throw new Failure('TooLarge', `${image.text} has more than ${MAX_TAGS} tags`, {
          kind: 'stalled',
          remedy: 'remove old tags from the registry',
        });
      next = this.#nextPage(answer, next);
    }
    return [...tags];
  }

  /** Finds out whether the registry speaks TLS: http is for loopback and for what the agent's settings name. */
  async #hello(): Promise<void> {
    const { request, options } = this.#context;
    const { registry } = request.image;
    const mayBePlain = isLoopback(registry) || options.insecureRegistries.includes(registry);
    try {
      await this.#authenticate(await this.#send(new URL('/v2/', this.#origin)));
    } catch (error) {
      if (!mayBePlain || !isNotTls(error)) throw error;
      this.#origin = new URL(`http://${hostOf(registry)}`);
      await this.#authenticate(await this.#send(new URL('/v2/', this.#origin)));
    }
  }

  async #authenticate(answer: HttpAnswer): Promise<void> {
    if (answer.status === 200) return;
    const { image } = this.#context.request;
    if (answer.status !== 401) throw failureOfAnswer(answer, image.text, this.#who);
    const challenge = usableChallenge(answer.headers['www-authenticate']);
    if (!challenge) throw this.#failed('it offers no way to log in that is known (Basic or Bearer)');
    await this.#answer(challenge);
  }

  async #answer(challenge: Challenge): Promise<void> {
    const { credentials, request } = this.#context;
    if (challenge.scheme === 'basic') {
      this.#authorization = basicHeader(credentials);
      return;
    }
    if (credentials?.registryToken) return;
    const { repository, text: image } = request.image;
    const token = await fetchToken(this.#http, { challenge, origin: this.#origin, repository, image, credentials, who: this.#who });
    this.#authorization = { authorization: `Bearer ${token}` };
  }

  /** One page. A token that has expired on the way is replaced once. */
  async #get(url: URL): Promise<HttpAnswer> {
    let answer = await this.#send(url);
    const challenge = answer.status === 401 ? usableChallenge(answer.headers['www-authenticate']) : undefined;
    if (challenge?.scheme === 'bearer') {
      await this.#answer(challenge);
      answer = await this.#send(url);
    }
    if (answer.status !== 200) throw failureOfAnswer(answer, this.#context.request.image.text, this.#who);
    return answer;
  }

  /** Tries again what may pass by itself, as long as that is soon. */
  async #send(url: URL): Promise<HttpAnswer> {
    const { options, request } = this.#context;
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#http.send({ url, maxBytes: PAGE_BYTES, headers: { accept: 'application/json', ...this.#authorization } });
      if (answer.status !== 429 && answer.status < 500) return answer;
      const wait = retryAfter(answer, options.clock.now()) ?? 1_000 * attempt;
      if (attempt >= TRIES || wait > PATIENCE_MS) return answer;
      await options.clock.sleep(wait, request.signal);
    }
  }

  #tagsOf({ body }: HttpAnswer): string[] {
    let parsed: unknown;
    try {
      parsed = JSON.parse(body.toString('utf8'));
    } catch {
      throw this.#failed('it answers with something that is not JSON');
    }
    const tags = (parsed as { tags?: unknown } | null)?.tags ?? [];
    if (!Array.isArray(tags)) throw this.#failed('its list of tags is no list');
    return tags.filter((tag): tag is string => typeof tag === 'string' && tag.length <= 256);
  }

  /** `Link: </v2/…>; rel="next"` (RFC 8288). Only within the registry: the credentials go with it. */
  #nextPage({ headers }: HttpAnswer, current: URL): URL | undefined {
    const link = [headers['link'] ?? ''].flat().join(',');
    for (const [, target = '', rest = ''] of link.slice(0, 16_384).matchAll(/<([^>]*)>([^<]*)/g)) {
      const relation = /;\s*rel\s*=\s*"?([^";,]*)"?/i.exec(rest)?.[1]?.toLowerCase() ?? 'next';
      if (!relation.split(/\s+/).includes('next')) continue;
      if (!URL.canParse(target, current.href)) throw this.#failed('its pages of tags lead nowhere');
      const url = new URL(target, current);
      // Behind a proxy that ends TLS, registries name themselves with http.
      if (url.host === current.host) url.protocol = current.protocol;
      if (url.origin !== this.#origin.origin) throw this.#failed(`its pages of tags lead to another host, ${url.host}`);
      return url;
    }
    return undefined;
  }

  #failed(why: string): Failure {
    return new Failure('RegistryFailed', `the registry of ${this.#context.request.image.text} cannot be used: ${why}`, {
      remedy: 'ask who runs the registry',
    });
  }
}

/** Which credentials were used and why, without showing them (§8 item 18). */
function describe({ credentials, config, request }: ListingContext): string {
  const called = config?.called ?? 'the Secret';
  if (credentials) return `the entry ${credentials.key} of ${called} was used`;
  if (!request.config) return 'no Secret is named';
  const keys = (config?.entries ?? [])
    .map(({ key }) => key)
    .slice(0, 5)
    .join(', ');
  return keys === '' ? `${called} has no entry` : `no entry of ${called} fits ${request.image.registry}; it has ${keys}`;
}
