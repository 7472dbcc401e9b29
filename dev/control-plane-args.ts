import { fileURLToPath } from 'node:url';
import type { Layout } from './control-plane-files.ts';

export interface Ports {
  etcd: number;
  etcdPeer: number;
  apiServer: number;
}

export function etcdArgs(layout: Layout, ports: Ports): string[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    '--name=dev',
    `--data-dir=${layout.etcdData}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=dev=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

export function apiServerArgs(layout: Layout, ports: Ports, auditLog: boolean): string[] {
  const audit = [`--audit-policy-file=${layout.auditPolicy}`, `--audit-log-path=${layout.auditLog}`];
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.apiServer}`,
    `--cert-dir=${layout.certificates}`,
    `--token-auth-file=${layout.tokenFile}`,
    // The default allows everything to everyone.
    '--authorization-mode=RBAC',
    '--enable-admission-plugins=OwnerReferencesPermissionEnforcement',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${layout.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${layout.serviceAccountKey}`,
    // A /24, the default, is used up by 250 Services.
    '--service-cluster-ip-range=10.0.0.0/12',
    '--max-requests-inflight=2000',
    '--max-mutating-requests-inflight=1000',
    '--profiling=false',
    // Nobody else serves this cluster: no leases of a fleet, and it ends at once.
    '--endpoint-reconciler-type=none',
    ...(auditLog ? audit : []),
  ];
}

export function controllerManagerArgs(layout: Layout): string[] {
  return [
    `--kubeconfig=${layout.kubeconfig('system:kube-controller-manager')}`,
    '--secure-port=0',
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${layout.serviceAccountKey}`,
    `--root-ca-file=${layout.caFile}`,
    // Its default of 20 requests a second limits every tool to about 4 Deployments a second.
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
    '--concurrent-deployment-syncs=50',
    '--profiling=false',
  ];
}

export function schedulerArgs(layout: Layout): string[] {
  return [
    `--kubeconfig=${layout.kubeconfig('system:kube-scheduler')}`,
    '--secure-port=0',
    '--leader-elect=false',
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
    '--profiling=false',
  ];
}

export function kwokArgs(layout: Layout): string[] {
  return [
    `--kubeconfig=${layout.kubeconfig('kwok')}`,
    `--config=${fileURLToPath(new URL('kwok-stages.yaml', import.meta.url))}`,
    '--manage-all-nodes=false',
    '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake',
    // Outside the service addresses of the API server.
    '--cidr=10.64.0.1/16',
    '--node-lease-duration-seconds=40',
  ];
}
