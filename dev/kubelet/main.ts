// Started under the keeper by dev/demo/tenants.ts: a node whose Pods run as processes of this machine.
import { createClient } from '#agent/cluster/client.ts';
import { kubeconfigConnection } from '#agent/cluster/connection.ts';
import { untilSignal } from '#core/lifecycle.ts';
import { silentLog } from '#core/log.ts';
import { type Kubelet, type KubeletOptions, startKubelet } from './kubelet.ts';

/** As JSON in the only argument. */
export interface KubeletArguments extends Omit<KubeletOptions, 'client' | 'log'> {
  kubeconfig: string;
  fronts: Parameters<Kubelet['front']>[0][];
}

async function main(text: string): Promise<void> {
  const signal = untilSignal();
  const { kubeconfig, fronts, ...options } = JSON.parse(text) as KubeletArguments;
  const client = createClient(await kubeconfigConnection({ path: kubeconfig }), { log: silentLog, userAgent: 'lateen-kubelet' });
  const kubelet = await startKubelet({ ...options, client, log: (line) => console.log(line) });
  for (const front of fronts) await kubelet.front(front);
  console.log(`ready${kubelet.confined ? '' : '; this machine makes no namespaces, so containers see its files'}`);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  await kubelet.stop();
  client.transport.close();
}

await main(process.argv[2] ?? '{}');
