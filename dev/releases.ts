import { KUBERNETES_VERSION, PROGRAMS, type ProgramName } from './versions.ts';

/** Where the publishers put their files; a test names servers of its own. */
export interface ReleaseHosts {
  kubernetes: string;
  github: string;
  helm: string;
}

export const RELEASE_HOSTS: ReleaseHosts = {
  kubernetes: 'https://dl.k8s.io',
  github: 'https://github.com',
  helm: 'https://get.helm.sh',
};

export interface Release {
  /** The program itself, or an archive that holds it. */
  url: string;
  /** The publisher's SHA-256 sums. */
  sumUrl: string;
  /** Path of the program in the archive; absent: the file is the program. */
  member?: string;
}

export interface Platform {
  /** Go's names. */
  os: string;
  arch: string;
}

export function currentPlatform(): Platform {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return { os: process.platform, arch };
}

function kubernetes(name: ProgramName, { os, arch }: Platform, hosts: ReleaseHosts): Release {
  const url = `${hosts.kubernetes}/release/${KUBERNETES_VERSION}/bin/${os}/${arch}/${name}`;
  return { url, sumUrl: `${url}.sha256` };
}

function etcd({ os, arch }: Platform, hosts: ReleaseHosts): Release {
  const { version } = PROGRAMS.etcd;
  const folder = `${hosts.github}/etcd-io/etcd/releases/download/${version}`;
  const name = `etcd-${version}-${os}-${arch}`;
  // For macOS there is only a zip, which the tar of macOS reads too.
  const url = `${folder}/${name}.${os === 'darwin' ? 'zip' : 'tar.gz'}`;
  return { url, sumUrl: `${folder}/SHA256SUMS`, member: `${name}/etcd` };
}

function kustomize({ os, arch }: Platform, hosts: ReleaseHosts): Release {
  const { version } = PROGRAMS.kustomize;
  const folder = `${hosts.github}/kubernetes-sigs/kustomize/releases/download/kustomize%2F${version}`;
  return { url: `${folder}/kustomize_${version}_${os}_${arch}.tar.gz`, sumUrl: `${folder}/checksums.txt`, member: 'kustomize' };
}

function helm({ os, arch }: Platform, hosts: ReleaseHosts): Release {
  const url = `${hosts.helm}/helm-${PROGRAMS.helm.version}-${os}-${arch}.tar.gz`;
  return { url, sumUrl: `${url}.sha256sum`, member: `${os}-${arch}/helm` };
}

function crane({ os, arch }: Platform, hosts: ReleaseHosts): Release {
  const folder = `${hosts.github}/google/go-containerregistry/releases/download/${PROGRAMS.crane.version}`;
  const system = os === 'darwin' ? 'Darwin' : 'Linux';
  const machine = arch === 'amd64' ? 'x86_64' : arch;
  return { url: `${folder}/go-containerregistry_${system}_${machine}.tar.gz`, sumUrl: `${folder}/checksums.txt`, member: 'crane' };
}

/** The official file of a program with its sum; undefined for one that is published without a sum (kwok). */
export function releaseOf(name: ProgramName, platform: Platform, hosts: ReleaseHosts): Release | undefined {
  switch (name) {
    case 'etcd':
      return etcd(platform, hosts);
    case 'kustomize':
      return kustomize(platform, hosts);
    case 'helm':
      return helm(platform, hosts);
    case 'crane':
      return crane(platform, hosts);
    case 'kwok':
      return undefined;
    default:
      return kubernetes(name, platform, hosts);
  }
}
