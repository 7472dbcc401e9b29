import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Who the programs of the control plane are to the API server; the values are tokens. */
export interface Tokens {
  admin: string;
  'system:kube-controller-manager': string;
  'system:kube-scheduler': string;
  kwok: string;
}

/** Where everything of one control plane stands. */
export interface Layout {
  directory: string;
  etcdData: string;
  certificates: string;
  /** Certificate of the API server followed by that of the authority that signed it, written by the API server. */
  caFile: string;
  tokenFile: string;
  serviceAccountKey: string;
  serviceAccountPublicKey: string;
  auditPolicy: string;
  auditLog: string;
  log: (program: string) => string;
  kubeconfig: (user: keyof Tokens) => string;
}

/** `system:masters` is above RBAC: kwok gets it too, since it stands for every kubelet of the cluster. */
const GROUPS: Partial<Record<keyof Tokens, string>> = { admin: 'system:masters', kwok: 'system:masters' };

/** Metadata of every request but those that only ask whether the server lives. */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'None', nonResourceURLs: ['/readyz*', '/livez*', '/healthz*'] }, { level: 'Metadata' }],
};

export function layoutOf(directory: string): Layout {
  const certificates = join(directory, 'certificates');
  return {
    directory,
    certificates,
    etcdData: join(directory, 'etcd'),
    caFile: join(certificates, 'apiserver.crt'),
    tokenFile: join(directory, 'tokens.csv'),
    serviceAccountKey: join(directory, 'service-account.key'),
    serviceAccountPublicKey: join(directory, 'service-account.pub'),
    auditPolicy: join(directory, 'audit-policy.json'),
    auditLog: join(directory, 'audit.log'),
    log: (program) => join(directory, `${program}.log`),
    kubeconfig: (user) => join(directory, user === 'admin' ? 'kubeconfig' : `${user.replace('system:', '')}.kubeconfig`),
  };
}

/** A kubeconfig (JSON, which is YAML) that trusts exactly this server and holds one token. */
export function kubeconfigText(access: { server: string; ca: string; token: string; user: string; namespace?: string }): string {
  const { server, ca, token, user, namespace } = access;
  const name = 'lateen-dev';
  const context = { cluster: name, user, ...(namespace === undefined ? {} : { namespace }) };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name, context }],
    'current-context': name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** Writes what the API server reads at its start, and returns the tokens. */
export async function writeServerFiles(layout: Layout): Promise<Tokens> {
  await mkdir(layout.certificates, { recursive: true, mode: 0o700 });
  const newToken = (): string => randomBytes(24).toString('hex');
  const tokens: Tokens = {
    admin: newToken(),
    'system:kube-controller-manager': newToken(),
    'system:kube-scheduler': newToken(),
    kwok: newToken(),
  };
  const rows = Object.entries(tokens).map(([user, token]) => `${token},${user},${user},"${GROUPS[user as keyof Tokens] ?? ''}"`);
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const secret = { mode: 0o600 };
  await writeFile(layout.tokenFile, `${rows.join('\n')}\n`, secret);
  await writeFile(layout.serviceAccountKey, pair.privateKey.export({ type: 'sec1', format: 'pem' }), secret);
  await writeFile(layout.serviceAccountPublicKey, pair.publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(layout.auditPolicy, JSON.stringify(AUDIT_POLICY));
  return tokens;
}

/** Writes one kubeconfig per user, once the API server has made its certificate. */
export async function writeKubeconfigs(layout: Layout, server: string, tokens: Tokens): Promise<void> {
  const ca = await readFile(layout.caFile, 'utf8');
  const users = Object.entries(tokens) as [keyof Tokens, string][];
  await Promise.all(
    users.map(([user, token]) => writeFile(layout.kubeconfig(user), kubeconfigText({ server, ca, token, user }), { mode: 0o600 })),
  );
}
