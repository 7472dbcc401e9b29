import type { KubeObject } from '#api/kubernetes.ts';
import { AGENT_NAME } from '#api/names.ts';
import { oneLine } from '#core/errors.ts';
import { agentAccess, mayI, type Right } from './access.ts';
import { type Check, type Checked, DEADLINE_MS, failed, guarded, ok, type Seat, skipped } from './doctor-check.ts';
import { missingText, ownRules, rightsIn } from './rbac-rules.ts';

/** The agent of the namespace: whether it runs, whether it acts, and with which rights; and those of the person who asks. */

const INSTALL = (namespace: string): string =>
  `install it: helm install ${AGENT_NAME} charts/lateen-agent --namespace ${namespace} (lateen init prints the whole command)`;

interface Lease {
  holderIdentity?: string;
  renewTime?: string;
  leaseDurationSeconds?: number;
}

export const lease: Check = ({ cluster: { client, namespace } }) =>
  guarded('lease', async () => {
    const reference = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name: AGENT_NAME };
    const found = await client.get(reference, { timeoutMs: DEADLINE_MS });
    const log = `look at its log: kubectl logs -n ${namespace} deployment/${AGENT_NAME}`;
    if (!found) {
      const remedy = `${INSTALL(namespace)}; where it is installed, ${log}`;
      return [failed('lease', `no agent has ever acted in ${namespace}: there is no Lease ${AGENT_NAME}`, remedy)];
    }
    const { holderIdentity, renewTime = '', leaseDurationSeconds = 30 } = (found['spec'] ?? {}) as Lease;
    // By the API server's clock: the agent wrote it by that.
    const ageMs = client.transport.serverNow() - Date.parse(renewTime);
    const age = `${Math.max(0, Math.round(ageMs / 1_000))} s ago`;
    if (!holderIdentity)
      return [
        failed(
          'lease',
          `no agent acts in ${namespace}: the last one gave the Lease back ${age}`,
          `start it again, or ${INSTALL(namespace)}`,
        ),
      ];
    if (!(ageMs <= leaseDurationSeconds * 1_000))
      return [failed('lease', `${holderIdentity} holds the Lease and renewed it last ${age}: no agent acts`, log)];
    return [ok('lease', `${holderIdentity} acts, and renewed its Lease ${age}`)];
  });

interface DeploymentStatus {
  replicas?: number;
  readyReplicas?: number;
  conditions?: { type?: string; status?: string; message?: string }[];
}

export const deployment: Check = ({ cluster: { client, namespace } }) =>
  guarded('agent', async () => {
    const reference = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: AGENT_NAME };
    const found = await client.get(reference, { timeoutMs: DEADLINE_MS });
    return [
      found
        ? ofDeployment(found, namespace)
        : skipped('agent', `there is no Deployment ${AGENT_NAME}: it runs elsewhere, or not at all (see lease)`),
    ];
  });

function ofDeployment(object: KubeObject, namespace: string): Checked {
  const { replicas: wanted = 1 } = (object['spec'] ?? {}) as { replicas?: number };
  const { readyReplicas = 0, conditions = [] } = (object['status'] ?? {}) as DeploymentStatus;
  if (wanted === 0)
    return failed(
      'agent',
      `the Deployment ${AGENT_NAME} has no replicas`,
      `kubectl scale deployment ${AGENT_NAME} -n ${namespace} --replicas=1`,
    );
  const text = `${readyReplicas} of ${wanted} pods of the Deployment ${AGENT_NAME} are ready`;
  if (readyReplicas > 0) return ok('agent', text);
  const why = conditions.find(({ status, message }) => status !== 'True' && message)?.message;
  const remedy = `kubectl describe pods -n ${namespace} -l app.kubernetes.io/name=${AGENT_NAME}`;
  return failed('agent', why ? `${text}: ${oneLine(why, 300)}` : text, remedy);
}

/** The agent's rights for its own work; what Git needs is the matter of `lateen doctor rbac`. */
export const rights: Check = ({ cluster: { client, namespace } }) =>
  guarded('rights', async () => {
    const access = await agentAccess(client, namespace);
    if (!access) return [skipped('rights', `you may neither ask what the agent may do in ${namespace} nor read its Role`)];
    const needed = rightsIn(ownRules(namespace));
    const answers = await Promise.all(needed.map((right) => access.may(right)));
    const missing = needed.filter((_, index) => !answers[index]);
    if (missing.length === 0)
      return [ok('rights', 'the agent may do what it needs for its own work; lateen doctor rbac PATH looks at what Git needs')];
    if (missing.length === needed.length)
      return [failed('rights', `the agent has no right in ${namespace}: its Role is not there`, INSTALL(namespace))];
    const remedy = 'upgrade the chart lateen-agent: its Role holds them';
    return [failed('rights', `the agent may not: ${missingText(missing).slice(0, 10).join('; ')}`, remedy)];
  });

const MINE: Right[] = [
  { group: 'core.oam.dev', resource: 'applications', verb: 'get' },
  { group: 'core.oam.dev', resource: 'applications', verb: 'create' },
  { group: 'core.oam.dev', resource: 'applications', verb: 'patch' },
  { group: 'core.oam.dev', resource: 'applications', verb: 'delete' },
  { group: '', resource: 'secrets', verb: 'get' },
];

export const mine: Check = ({ cluster: { client, namespace } }: Seat) =>
  guarded('your rights', async () => {
    const answers = await Promise.all(MINE.map((right) => mayI(client, namespace, right)));
    const [have, lack] = [true, false].map((answer) => missingText(MINE.filter((_, index) => answers[index] === answer)).join('; '));
    if (!answers[0])
      return [failed('your rights', `you may not get applications in ${namespace}`, 'ask for the role view, edit or admin in it')];
    return [ok('your rights', `you may ${have}${lack ? `; and not ${lack}` : ''}`)];
  });
