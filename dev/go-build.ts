import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { logTail, startProcess } from './lifeline.ts';
import { KUBERNETES_VERSION, PROGRAMS, type ProgramName } from './versions.ts';

const run = promisify(execFile);

const TOOLS = fileURLToPath(new URL('./tools/', import.meta.url));

/** For one program on two busy cores; the slowest, the first of Kubernetes' three, takes about 6 minutes on idle ones. */
const BUILD_DEADLINE_MS = 45 * 60_000;
/** From 1.21 on, go gets the newer toolchain that a module asks for by itself. */
const MIN_GO = [1, 21] as const;
/** What dev/tools/kubernetes/go.mod asks for. */
const GO_WANTED = '1.25';

type Recipe =
  /** A package of the module in dev/tools/FOLDER. */
  | { module: 'kubernetes' | 'etcd'; package: string; flags: string }
  /** A package that `go install PACKAGE@VERSION` takes as it is. */
  | { package: string; flags: string };

function kubernetesRecipe(name: ProgramName): Recipe {
  const { version } = PROGRAMS[name];
  const [major, minor] = version.slice(1).split('.');
  const values = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((path) => [
    `-X ${path}.gitVersion=${version}`,
    `-X ${path}.gitMajor=${major}`,
    `-X ${path}.gitMinor=${minor}`,
  ]);
  return { module: 'kubernetes', package: `k8s.io/kubernetes/cmd/${name}`, flags: values.join(' ') };
}

/** helm also holds the version of Kubernetes that it renders for; without it that is v1.20, too old for most charts. */
function helmFlags(version: string): string {
  const [major, minor] = KUBERNETES_VERSION.slice(1).split('.');
  const kubernetes = ['pkg/chartutil', 'pkg/lint/rules'].flatMap((path) => [
    `-X helm.sh/helm/v3/${path}.k8sVersionMajor=${major}`,
    `-X helm.sh/helm/v3/${path}.k8sVersionMinor=${minor}`,
  ]);
  return [`-X helm.sh/helm/v3/internal/version.version=${version}`, ...kubernetes].join(' ');
}

function recipeOf(name: ProgramName): Recipe {
  const { version } = PROGRAMS[name];
  switch (name) {
    case 'etcd':
      return { module: 'etcd', package: 'go.etcd.io/etcd/server/v3', flags: '' };
    case 'kwok':
      return { package: 'sigs.k8s.io/kwok/cmd/kwok', flags: '' };
    case 'kustomize':
      return { package: 'sigs.k8s.io/kustomize/kustomize/v5', flags: `-X sigs.k8s.io/kustomize/api/provenance.version=${version}` };
    case 'helm':
      return { package: 'helm.sh/helm/v3/cmd/helm', flags: helmFlags(version) };
    case 'crane':
      return {
        package: 'github.com/google/go-containerregistry/cmd/crane',
        flags: `-X github.com/google/go-containerregistry/cmd/crane/cmd.Version=${version}`,
      };
    default:
      return kubernetesRecipe(name);
  }
}

/** Why go cannot be used here, or undefined where it can. */
export async function goProblem(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const asked = run('go', ['env', 'GOVERSION'], { env, timeout: 20_000, killSignal: 'SIGKILL' });
  const printed = await asked.then(
    ({ stdout }) => stdout.trim(),
    (error: NodeJS.ErrnoException) => error,
  );
  if (typeof printed !== 'string') return printed.code === 'ENOENT' ? 'go is not installed' : `go does not work: ${printed.message}`;
  const match = /^go(\d+)\.(\d+)/.exec(printed);
  if (!match) return undefined;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  const tooOld = major < MIN_GO[0] || (major === MIN_GO[0] && minor < MIN_GO[1]);
  return tooOld ? `${printed} is too old (wanted: go ${GO_WANTED} or newer)` : undefined;
}

/** What to install where go is missing or too old. */
export const GO_REMEDY = `install Go ${GO_WANTED} or newer (https://go.dev/dl)`;

export interface BuildOptions {
  /** An empty folder of ours; go's output goes to `build.log` in it. */
  directory: string;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
}

/** Runs go to its end. Rejects when it is aborted, takes too long, or fails. */
async function runGo(args: string[], cwd: string, options: BuildOptions & { out: string }): Promise<void> {
  const { directory, env = process.env, signal, out } = options;
  const logFile = join(directory, 'build.log');
  // GOBIN and a foreign GOOS exclude each other.
  const goEnv = { ...env, CGO_ENABLED: '0', GOBIN: out, GOWORK: 'off', GOOS: undefined, GOARCH: undefined };
  const started = await startProcess({ name: 'go', command: 'go', args, cwd, env: goEnv, logFile });
  const deadline = AbortSignal.timeout(BUILD_DEADLINE_MS);
  const ended = signal ? AbortSignal.any([signal, deadline]) : deadline;
  const onAbort = (): void => void started.stop();
  ended.addEventListener('abort', onAbort, { once: true });
  if (ended.aborted) onAbort();
  const { code } = await started.exited;
  ended.removeEventListener('abort', onAbort);
  if (signal?.aborted) throw signal.reason;
  const command = `go ${args[0]} ${args.at(-1)}`;
  if (deadline.aborted) throw new Error(`${command} took over ${BUILD_DEADLINE_MS / 60_000} minutes`);
  if (code !== 0) throw new Error(`${command} failed:\n${await logTail(logFile)}`);
}

/** Builds one program into the folder and resolves to its path. Rejects with the end of go's output. */
export async function buildProgram(name: ProgramName, options: BuildOptions): Promise<string> {
  const recipe = recipeOf(name);
  const out = join(options.directory, 'out');
  await mkdir(out);
  const path = join(out, name);
  const common = ['-trimpath', '-buildvcs=false', '-ldflags', `-s -w ${recipe.flags}`.trim()];
  if ('module' in recipe) {
    await runGo(['build', ...common, '-o', path, recipe.package], join(TOOLS, recipe.module), { ...options, out });
  } else {
    await runGo(['install', ...common, `${recipe.package}@${PROGRAMS[name].version}`], options.directory, { ...options, out });
  }
  return path;
}
