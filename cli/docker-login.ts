import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { credentialsFor, type DockerConfig, entriesOf, type RegistryCredentials } from '#agent/image/docker-config.ts';
import { DOCKER_HUB, type ImageName } from '#api/image/reference.ts';
import { oneLine } from '#core/errors.ts';
import { CommandError, exit } from './exit.ts';
import type { Io } from './io.ts';

/** A keychain may ask the person for its password. */
const HELPER_MS = 30_000;
const HELPER_BYTES = 64 * 1024;
/** What Docker calls its hub in front of a helper. */
const HUB_SERVER = 'https://index.docker.io/v1/';

/**
 * What `docker login` has left for the registry of an image: what the helper knows that the file names, then the entries of the
 * file. Without a file nothing. Throws CommandError where one of them cannot be read.
 */
export async function dockerLogin(io: Pick<Io, 'env' | 'cwd'>, image: ImageName, helperMs = HELPER_MS): Promise<DockerConfig> {
  const file = join(resolve(io.cwd, io.env['DOCKER_CONFIG'] || join(io.env['HOME'] || homedir(), '.docker')), 'config.json');
  const refuse = (why: string): CommandError => new CommandError(exit.couldNotAsk, `${file} ${why}`, 'docker login writes it anew');
  const config = await configIn(file, refuse);
  const helper = helperFor(config, image);
  if (helper !== undefined && !/^[\w.-]+$/.test(helper)) throw refuse('names a helper that cannot be the name of a program');
  const known = helper === undefined ? undefined : await askHelper(`docker-credential-${helper}`, image, { env: io.env, helperMs });
  // Beside a helper stand empty entries, which only say that it knows more.
  const entries = entriesOf(mapOf(config['auths']), refuse).filter((entry) => Object.keys(entry).length > 1);
  return { entries: known ? [known, ...entries] : entries, called: file };
}

async function configIn(file: string, refuse: (why: string) => CommandError): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {};
    throw refuse(`cannot be read (${code})`);
  }
  try {
    return mapOf(JSON.parse(text));
  } catch {
    // The message of the parser repeats what it read.
    throw refuse('is not JSON');
  }
}

/** The helper of the registry, else that of all. */
function helperFor(config: Record<string, unknown>, image: ImageName): string | undefined {
  const helpers = mapOf(config['credHelpers']);
  const [own] = credentialsFor({ entries: Object.keys(helpers).map((key) => ({ key })) }, image);
  const helper = own ? helpers[own.key] : config['credsStore'];
  return typeof helper === 'string' && helper !== '' ? helper : undefined;
}

interface Asking {
  env: Io['env'];
  helperMs: number;
}

/** What a helper knows (docker-credential-helpers, "get"); undefined where it has nothing for the registry. */
async function askHelper(program: string, { registry }: ImageName, asking: Asking): Promise<RegistryCredentials | undefined> {
  const { failed, stdout, stderr } = await run(program, registry === DOCKER_HUB ? HUB_SERVER : registry, asking);
  // Helpers tell that by this sentence alone.
  if (failed && /credentials not found/i.test(stdout + stderr)) return undefined;
  const found = failed ? {} : answerOf(stdout);
  const { Username: username, Secret: secret } = found;
  if (typeof username !== 'string' || typeof secret !== 'string') {
    // What it printed to its standard output may be the secret.
    const said = oneLine(stderr, 200);
    const why = failed ?? 'it answers with something else than a name and a secret';
    throw new CommandError(
      exit.couldNotAsk,
      `${program}, which keeps what docker login was told, cannot be used: ${why}${said === '' ? '' : `: ${said}`}`,
      `try it: echo ${registry} | ${program} get`,
    );
  }
  // So Docker marks what is no password.
  return { key: registry, ...(username === '<token>' ? { identityToken: secret } : { username, password: secret }) };
}

function answerOf(text: string): Record<string, unknown> {
  try {
    return mapOf(JSON.parse(text));
  } catch {
    return {};
  }
}

function run(program: string, server: string, { env, helperMs }: Asking): Promise<{ failed?: string; stdout: string; stderr: string }> {
  return new Promise((resolved) => {
    const options = { env, timeout: helperMs, killSignal: 'SIGKILL', maxBuffer: HELPER_BYTES } as const;
    const child = execFile(program, ['get'], options, (error, stdout, stderr) => {
      if (!error) return resolved({ stdout, stderr });
      const { code } = error;
      const failed = error.killed ? `it took longer than ${helperMs / 1000} s` : `it ended with ${code ?? error.signal ?? 'an error'}`;
      resolved({ failed: String(code) === 'ENOENT' ? 'there is no such program' : failed, stdout, stderr });
    });
    // One that is not there, or does not read, says so by its end.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(`${server}\n`);
  });
}

function mapOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
