import { patternsFrom } from '#api/allow-pattern.ts';
import { labelRule } from '#api/name-rules.ts';
import { annotation, label } from '#api/names.ts';
import type { Invocation } from './command.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import type { Io } from './io.ts';

/** `lateen init --namespace NS`: what a platform team applies for a new tenant, as YAML with comments. Asks no cluster. */

interface Tenant {
  namespace: string;
  applications: 'all' | 'gitops';
  repositories: string[] | undefined;
  registries: string[] | undefined;
  group: string | undefined;
  /** The command line that prints the same again. */
  command: string;
}

export function init(io: Io, invocation: Invocation): Promise<Exit> {
  const tenant = tenantOf(invocation);
  io.stdout.write(invocation.values ? valuesText(tenant) : objectsText(tenant));
  return Promise.resolve(exit.yes);
}

function tenantOf(invocation: Invocation): Tenant {
  const { namespace, applications = 'all', repositories, registries, group } = invocation;
  if (namespace === undefined) throw new CommandError(exit.usage, '--namespace is missing', 'name the namespace of the new tenant');
  const [mistake] = labelRule(namespace);
  if (mistake) throw new CommandError(exit.usage, `--namespace ${mistake.text}`, mistake.remedy);
  return {
    namespace,
    applications,
    repositories: listOf('--repositories', repositories, 'repository'),
    registries: listOf('--registries', registries, 'registry'),
    group,
    command: commandOf(invocation),
  };
}

function commandOf({ namespace, applications, repositories, registries, group }: Invocation): string {
  const options = Object.entries({ namespace, applications, repositories, registries, group });
  return ['lateen init', ...options.flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${forShell(value)}`]))].join(' ');
}

/** On one line: it stands in a comment. */
function forShell(text: string): string {
  const line = text.trim().replace(/\s*[\n\r]\s*/g, ',');
  return /^[\w@%+=:,./-]+$/.test(line) ? line : `'${line.replaceAll("'", `'\\''`)}'`;
}

/** A list with a mistake would allow nothing: it is said here, and not to the tenant. */
function listOf(option: string, text: string | undefined, kind: 'repository' | 'registry'): string[] | undefined {
  if (text === undefined) return undefined;
  const read = patternsFrom(text, kind);
  if ('problem' in read) throw new CommandError(exit.usage, `${option}: ${read.problem}`, 'docs/tenants.md says what a pattern is');
  return read.patterns.map((pattern) => pattern.text);
}

function objectsText(tenant: Tenant): string {
  const parts = [namespaceText(tenant), quotaText(tenant), teamText(tenant)];
  return `${headText(tenant)}${parts.join('---\n')}${agentText(tenant)}`;
}

function headText({ namespace, command }: Tenant): string {
  return `# A tenant of Lateen: the namespace ${namespace}. Look at it, change what does not suit you, and apply it:
#
#   ${command} > ${namespace}.yaml
#   kubectl apply -f ${namespace}.yaml
#
# It needs the chart lateen in the cluster (docs/install.md). What the tenant may and may not do: docs/tenants.md.
`;
}

function namespaceText({ namespace, applications, repositories, registries }: Tenant): string {
  const does =
    applications === 'all' ? 'an agent reconciles every Application here' : 'beside vela-core: the agent reconciles GitOps Applications';
  return `apiVersion: v1
kind: Namespace
metadata:
  name: ${quoted(namespace)}
  labels:
    # Says to the webhook: ${does}.
    ${label.applications}: ${applications}
    # Pods without privileges. The agent itself needs none.
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/warn: restricted
  annotations:
    # What the Applications here may name, one pattern a line: * is any part of one segment, /** at the end everything below.
    # Nobody in the namespace can change these, not even with the role admin. Without them everything is allowed.
${listText(annotation.allowedRepositories, repositories, `https://git.example.com/${namespace}/**`)}
${listText(annotation.allowedRegistries, registries, `registry.example.com/${namespace}/**`)}
`;
}

function listText(name: string, patterns: string[] | undefined, example: string): string {
  const comment = patterns ? '    ' : '    # ';
  return [`${comment}${name}: |`, ...(patterns ?? [example]).map((pattern) => `${comment}  ${pattern}`)].join('\n');
}

function quotaText({ namespace }: Tenant): string {
  return `# Upper bounds, as an example. With requests or limits among them every pod must state its own.
apiVersion: v1
kind: ResourceQuota
metadata:
  name: tenant
  namespace: ${quoted(namespace)}
spec:
  hard:
    pods: "100"
    persistentvolumeclaims: "20"
    services.loadbalancers: "2"
    services.nodeports: "0"
    count/applications.core.oam.dev: "200"
    # requests.cpu: "8"
    # requests.memory: 16Gi
    # limits.memory: 32Gi
`;
}

function teamText({ namespace, group }: Tenant): string {
  const text = `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: tenant-admin
  namespace: ${quoted(namespace)}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: admin
subjects:
  - apiGroup: rbac.authorization.k8s.io
    kind: Group
    name: ${quoted(group ?? `${namespace}-team`)}
`;
  const says = '# Who the tenant is. With the built-in role admin a team can install the agent and work with Applications.\n';
  if (group !== undefined) return says + text;
  return `${says}# Name the group of your identity provider with --group:\n#\n${text.replace(/^/gm, '# ').trimEnd().replace(/# $/, '')}\n`;
}

function agentText({ namespace, applications }: Tenant): string {
  // No guess: who says it vouches for vela-core.
  const vouching = `#
# Beside vela-core the agent applies an Application of Git that vela-core would run only after velaCore.identity was set to what is
# true of this cluster, impersonated or trusted (docs/beside-vela-core.md).
`;
  return `---
# The agent of the namespace. The tenant team can install it by itself: its Role holds nothing that the role admin does not.
#
#   lateen init --namespace ${namespace}${applications === 'all' ? '' : ` --applications ${applications}`} --values > values.yaml
#   helm install lateen-agent charts/lateen-agent --namespace ${namespace} --values values.yaml \\
#     --set image.repository=IMAGE
${applications === 'gitops' ? vouching : ''}#
# Does it all work?
#
#   lateen doctor --namespace ${namespace}
`;
}

function valuesText({ namespace, applications }: Tenant): string {
  const velaCore = `
velaCore:
  # With whose rights vela-core runs the Applications that come from Git: impersonated or trusted (docs/beside-vela-core.md).
  identity: ""
`;
  return `# Values of the chart lateen-agent for the namespace ${namespace}. \`helm show values charts/lateen-agent\` lists all others.
applications: ${applications}
${applications === 'gitops' ? velaCore : ''}
image:
  # The image of Lateen; none is published yet (docs/install.md).
  repository: ""

rbac:
  # read: Secrets in Git are refused, and those that Applications name are still read.
  secrets: write
  # What the agent may do with the objects that come from Git, in the place of the default rules. \`lateen doctor rbac PATH\` prints the
  # smallest list that is enough for a folder.
  # rules: []
`;
}

/** A name such as 7 or on is a text. */
function quoted(text: string): string {
  return /^[a-z][a-z-]*[a-z]$/.test(text) && !/^(yes|no|on|off|true|false|null|y|n)$/.test(text) ? text : JSON.stringify(text);
}
