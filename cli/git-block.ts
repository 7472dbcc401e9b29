import type { Component, ServiceStatus } from '#api/application.ts';
import { detail } from '#api/details.ts';
import { formatDuration, parseDuration } from '#api/duration.ts';
import { type KustomizeProperties, kustomizeProperties } from '#api/kustomize.ts';
import { nextPullMs } from '#api/schedule.ts';
import { oneLine } from '#core/errors.ts';
import { ageText, inText } from './time-text.ts';

export interface GitBlockInput {
  component: Component;
  namespace: string;
  service: ServiceStatus | undefined;
  nowMs: number;
}

/** What Git and the agent say about a kustomize component, as lines without indent. */
export function gitLines({ component, namespace, service, nowMs }: GitBlockInput): string[] {
  const details = service?.details ?? {};
  const properties = propertiesOf(component);
  const text = (key: keyof typeof detail): string => oneLine(details[detail[key]] ?? '');
  const commit = text('commit');
  const branch = text('branch') || properties?.git?.branch || '(the default branch of the remote)';
  const pulled = commit === '' ? ['Commit:    none yet'] : commitLines(details, nowMs);
  const lines = [`Branch:    ${branch}`, ...pulled, `Next pull: ${nextPull(properties, namespace, nowMs)}`];
  return [...lines, ...imageLines(details), ...lastError(service, nowMs)];
}

function commitLines(details: Record<string, string>, nowMs: number): string[] {
  const commit = oneLine(details[detail.commit] ?? '');
  const rows: [label: string, value: string | undefined][] = [
    ['Commit:    ', `${commit.slice(0, 7)} (${commit})`],
    ['Author:    ', details[detail.author]],
    ['Subject:   ', details[detail.subject]],
    ['Age:       ', ageText(details[detail.committed] ?? '', nowMs)],
    ['Objects:   ', details[detail.objects]],
  ];
  return rows.flatMap(([label, value]) => (value === undefined ? [] : [label + oneLine(value)]));
}

/** What imageRepository makes of it; nothing for a component without. */
function imageLines(details: Record<string, string>): string[] {
  const image = details[detail.image];
  if (image === undefined) return [];
  const tags = details[detail.imageTags];
  const rows: [label: string, value: string | undefined][] = [
    ['Image:     ', tags === undefined ? image : `${image} (tags: ${tags})`],
    ['Markers:   ', details[detail.imageMarkers]],
    ['Set by:    ', details[detail.imageCommit]?.slice(0, 7)],
  ];
  const reason = details[detail.imageReason];
  const waits = reason === undefined ? [] : [`Image waits: ${oneLine(reason)}: ${oneLine(details[detail.imageMessage] ?? '', 1_024)}`];
  return [...rows.flatMap(([label, value]) => (value === undefined ? [] : [label + oneLine(value)])), ...waits];
}

/** The agent writes it nowhere: it follows from the source, the interval and the clock (api/schedule.ts). */
function nextPull(properties: KustomizeProperties | undefined, namespace: string, nowMs: number): string {
  if (!properties) return 'never: the properties are not valid';
  if (properties.suspend) return 'never: suspended';
  const intervalMs = parseDuration(properties.pullInterval);
  if (intervalMs === undefined || intervalMs <= 0) return 'never: the properties are not valid';
  const branch = properties.git?.branch;
  const at = nextPullMs({ namespace, url: properties.url, ...(branch ? { branch } : {}) }, intervalMs, nowMs);
  return `${inText(at, nowMs)} (every ${formatDuration(intervalMs)})`;
}

function lastError(service: ServiceStatus | undefined, nowMs: number): string[] {
  const details = service?.details ?? {};
  const reason = details[detail.reason];
  if (!reason) return [];
  const nextTry = Date.parse(details[detail.nextTry] ?? '');
  const again = Number.isNaN(nextTry) ? [] : [`Next try:  ${inText(nextTry, nowMs)}`];
  return [`Error:     ${oneLine(reason)}: ${oneLine(service?.message ?? '', 4_096)}`, ...again];
}

/** The properties with their defaults, undefined where the rules would not let them pass. */
export function propertiesOf(component: Component): KustomizeProperties | undefined {
  try {
    return kustomizeProperties(component);
  } catch {
    return undefined;
  }
}
