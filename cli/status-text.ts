import type { Application, Component, Condition, ServiceStatus, StepStatus, WorkflowStatus } from '#api/application.ts';
import { detail } from '#api/details.ts';
import { type Reason, reasonCode } from '#api/reasons.ts';
import { oneLine } from '#core/errors.ts';
import { gitLines } from './git-block.ts';
import { tableText } from './table.ts';
import { visible } from './text-width.ts';
import { goTime } from './time-text.ts';

export interface StatusTextOptions {
  timeZone: string;
  nowMs: number;
  /** Marks a heading on a terminal. */
  heading: (text: string) => string;
}

/** What `vela status` prints since 1.10.4 (spec/kubevela.md §2.2), with more for kustomize components and what is wrong. */
export function statusText(application: Application, options: StatusTextOptions): string {
  const { heading } = options;
  const workflow = application.status?.workflow;
  const blocks = [
    `${heading('About:')}\n\n${aboutTable(application, options.timeZone)}\n`,
    ...conditionsBlock(application.status?.conditions ?? [], heading),
    ...(workflow ? [`${heading('Workflow:')}\n\n${workflowLines(workflow).join('\n')}\n`] : []),
    `${heading('Services:')}\n\n${servicesText(application, options.nowMs)}`,
  ];
  return blocks.join('\n');
}

function mark(healthy: boolean): string {
  return healthy ? '✅' : '❌';
}

function aboutTable({ metadata, status }: Application, timeZone: string): string {
  const services = status?.services ?? [];
  // vela shows a tick where there are no services; one that is refused has none, and is not well.
  const refused = status?.conditions?.some(({ type, status: stands }) => type === 'Admitted' && stands === 'False') ?? false;
  const healthy = !refused && services.every((one) => one.healthy && (one.traits ?? []).every((trait) => trait.healthy));
  return tableText([
    ['  Name:', metadata.name],
    ['  Namespace:', metadata.namespace],
    ['  Created at:', goTime(metadata.creationTimestamp ?? '', timeZone)],
    ['  Healthy:', mark(healthy)],
    ['  Details:', visible(status?.status ?? '')],
  ]);
}

/** Why another revision than the spec runs, where nothing is wrong with that. */
const NOTES: readonly string[] = ['Held', 'PublishVersionUnchanged'] satisfies Reason[];
/** What waits for a person, though all is well. */
const WAITS: string = 'PruneHeld' satisfies Reason;

function isShown({ type, status, reason }: Condition): boolean {
  if (status === 'False') return true;
  return (type === 'Revision' && NOTES.includes(reason)) || (type === 'Ready' && reason === WAITS);
}

/** What is False, each message once: Admitted, Parsed and Ready often say the same. And what runs instead of the spec, or waits. */
function conditionsBlock(conditions: readonly Condition[], heading: (text: string) => string): string[] {
  const byMessage = new Map<string, Condition[]>();
  for (const condition of conditions.filter(isShown)) {
    const message = condition.message ?? '';
    byMessage.set(message, [...(byMessage.get(message) ?? []), condition]);
  }
  if (byMessage.size === 0) return [];
  const lines = [...byMessage].flatMap(([message, same]) => {
    const title = `  ${same.map(({ type }) => type).join(', ')}: ${same[0]?.status} (${reasonCode((same[0]?.reason ?? '') as Reason)})`;
    return message === '' ? [title] : [title, `    ${oneLine(message, 32 * 1024)}`];
  });
  return [`${heading('Conditions:')}\n\n${lines.map(visible).join('\n')}\n`];
}

function workflowLines(workflow: WorkflowStatus): string[] {
  return [
    `  mode: ${workflow.mode}`,
    `  finished: ${workflow.finished}`,
    `  Suspend: ${workflow.suspend}`,
    `  Terminated: ${workflow.terminated}`,
    '  Steps',
    ...(workflow.steps ?? []).flatMap((step) => stepLines(step, '  ')),
  ].map(visible);
}

function stepLines(step: StepStatus & { subSteps?: StepStatus[] }, indent: string): string[] {
  const lines = [
    `${indent}- id: ${step.id}`,
    `${indent}  name: ${step.name}`,
    `${indent}  type: ${step.type}`,
    `${indent}  phase: ${step.phase} `,
    ...(step.message ? [`${indent}  message: ${step.message}`] : []),
  ];
  return [...lines, ...(step.subSteps ?? []).flatMap((one) => stepLines(one, `${indent}  `))];
}

function servicesText(application: Application, nowMs: number): string {
  const { status, spec, metadata } = application;
  const components: readonly Component[] = spec?.components ?? [];
  const services = status?.services ?? [];
  const known = services.map((service) => {
    const component = components.find(({ name }) => name === service.name);
    return serviceLines(service, component, { namespace: metadata.namespace, nowMs });
  });
  // vela shows a component only once it has a status; a kustomize component says what it waits for before that.
  const waiting = components.filter(({ name, type }) => type === 'kustomize' && !services.some((service) => service.name === name));
  const others = waiting.map((component) => waitingLines(component, { namespace: metadata.namespace, nowMs }));
  return [...known, ...others].map((lines) => `${lines.map(visible).join('\n')}\n\n`).join('');
}

interface Place {
  namespace: string;
  nowMs: number;
}

function serviceLines(service: ServiceStatus & { env?: string }, component: Component | undefined, place: Place): string[] {
  const kustomize = component?.type === 'kustomize';
  const failed = kustomize && service.details?.[detail.reason] !== undefined;
  return [
    `  - Name: ${service.name}  ${service.env ? `Env: ${service.env}` : ''}`,
    `    Cluster: ${service.cluster || 'local'}`,
    `    Namespace: ${service.namespace ?? ''}`,
    `    Type: ${component?.type ?? 'unknown'}`,
    `    Health: ${mark(service.healthy)} `,
    // The message of a failure stands in the block below, with its reason and its next try.
    ...(service.message && !failed ? [`      Message: ${service.message}`] : []),
    ...(kustomize ? gitBlock({ component, service, ...place }) : detailLines(service.details ?? {})),
    ...traitLines(service.traits ?? []),
  ];
}

function waitingLines(component: Component, place: Place): string[] {
  return [
    `  - Name: ${component.name}  `,
    `    Namespace: ${place.namespace}`,
    `    Type: ${component.type}`,
    '    Health: not known yet',
    ...gitBlock({ component, service: undefined, ...place }),
  ];
}

function gitBlock(input: Parameters<typeof gitLines>[0]): string[] {
  return ['    Git:', ...gitLines(input).map((line) => `      ${line}`)];
}

function detailLines(details: Record<string, string>): string[] {
  const entries = Object.entries(details).sort(([left], [right]) => (left < right ? -1 : 1));
  return entries.length === 0 ? [] : ['      Status Details:', ...entries.map(([key, value]) => `        ${key}: ${value}`)];
}

function traitLines(traits: NonNullable<ServiceStatus['traits']>): string[] {
  if (traits.length === 0) return ['    No trait applied'];
  const lines = traits.flatMap(({ type, healthy, message }) => [
    `      Type: ${type}`,
    `      Health: ${mark(healthy)} `,
    ...(message ? [`        Message: ${message}`] : []),
  ]);
  return ['    Traits:', ...lines];
}
