import type { Application, Component } from '#api/application.ts';
import { tableText } from './table.ts';
import { visible } from './text-width.ts';
import { goTime } from './time-text.ts';

const COLUMNS = ['APP', 'COMPONENT', 'TYPE', 'TRAITS', 'PHASE', 'HEALTHY', 'STATUS', 'CREATED-TIME'];

/** What `vela ls` prints for these Applications (spec/kubevela.md §2.1), with a column NAMESPACE where asked for. */
export function applicationsTable(applications: readonly Application[], options: { timeZone: string; namespaces: boolean }): string {
  const rows = applications.flatMap((application) => {
    const own = rowsOf(application, options.timeZone);
    return options.namespaces ? own.map((row) => [application.metadata.namespace, ...row]) : own;
  });
  return `${tableText([options.namespaces ? ['NAMESPACE', ...COLUMNS] : COLUMNS, ...rows])}\n`;
}

function rowsOf(application: Application, timeZone: string): string[][] {
  const { metadata, status } = application;
  const components: readonly Component[] = application.spec?.components ?? [];
  const phase = status?.status ?? '';
  const created = goTime(metadata.creationTimestamp ?? '', timeZone);
  if (components.length === 0) return [[metadata.name, '', '', '', phase, '', '', created]];
  return components.map((component, index) => {
    const { name, type, traits = [] } = component;
    const first = index === 0 ? metadata.name : index === components.length - 1 ? '└─' : '├─';
    // One component in several clusters has several entries; vela shows the last.
    const service = status?.services?.findLast((one) => one.name === name);
    const healthy = service === undefined ? '' : service.healthy ? 'healthy' : 'unhealthy';
    const types = traits.map((trait) => trait.type).join(',');
    return [first, name, type, types, phase, healthy, service?.message ?? '', created].map(visible);
  });
}
