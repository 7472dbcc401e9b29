/** The versions that `dev/` works with. Go modules: dev/tools/{kubernetes,etcd}/go.mod hold the same. */
export const KUBERNETES_VERSION = 'v1.35.4';

/** Every program that the workbench runs. */
export type ProgramName =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubectl'
  | 'kwok'
  | 'kustomize'
  | 'helm'
  | 'crane';

/** `[major, minor]` of a released version, undefined for anything else. */
type Minor = readonly [number, number];

export interface Program {
  /** The version that is downloaded or built. */
  version: string;
  /** Arguments that make it print its version. */
  versionArgs: string[];
  /** What an installed program of another version must be for us to use it. */
  accepts: (minor: Minor) => boolean;
  /** The same for people: `v1.34 to v1.36`. */
  accepted: string;
}

const SERVER: Program = {
  version: KUBERNETES_VERSION,
  versionArgs: ['--version'],
  accepts: ([major, minor]) => major === 1 && minor === 35,
  accepted: 'v1.35',
};

export const PROGRAMS: Record<ProgramName, Program> = {
  etcd: {
    version: 'v3.6.8',
    versionArgs: ['--version'],
    accepts: ([major, minor]) => major === 3 && (minor === 5 || minor === 6),
    accepted: 'v3.5 or v3.6',
  },
  'kube-apiserver': SERVER,
  'kube-controller-manager': SERVER,
  'kube-scheduler': SERVER,
  kubectl: {
    version: KUBERNETES_VERSION,
    versionArgs: ['version', '--client'],
    accepts: ([major, minor]) => major === 1 && minor >= 34 && minor <= 36,
    accepted: 'v1.34 to v1.36',
  },
  kwok: {
    version: 'v0.7.0',
    versionArgs: ['--version'],
    accepts: ([major, minor]) => major === 0 && minor === 7,
    accepted: 'v0.7',
  },
  kustomize: {
    version: 'v5.8.1',
    versionArgs: ['version'],
    accepts: ([major]) => major === 5,
    accepted: 'v5',
  },
  helm: {
    version: 'v3.20.0',
    versionArgs: ['version', '--short'],
    accepts: ([major]) => major === 3 || major === 4,
    accepted: 'v3 or v4',
  },
  crane: {
    version: 'v0.20.7',
    versionArgs: ['version'],
    accepts: ([major, minor]) => major === 0 && minor >= 20,
    accepted: 'v0.20 or newer',
  },
};

/** A program that can be run. */
export interface FoundProgram {
  name: ProgramName;
  /** Absolute. */
  path: string;
  /** `v1.35.4`, as the program says it. */
  version: string;
  source: 'KUBEBUILDER_ASSETS' | 'PATH' | 'cache' | 'download' | 'build';
}

/** The version in what a program printed: the first `1.2.3` with what follows it, with a leading `v`. */
export function readVersion(printed: string): string | undefined {
  const match = /\bv?(\d+\.\d+(?:\.\d+)?[^\s,)]*)/.exec(printed);
  return match ? `v${match[1]}` : undefined;
}

/** Whether an installed program of that version can be used. Anything behind the numbers (`-dispatcher`, `-rc.1`) is refused. */
export function fits(name: ProgramName, version: string): boolean {
  const match = /^v(\d+)\.(\d+)(?:\.\d+)?(?:\+.*)?$/.exec(version);
  return match !== null && PROGRAMS[name].accepts([Number(match[1]), Number(match[2])]);
}
