import { getApplication } from './applications.ts';
import { withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { type Exit, exit } from './exit.ts';
import type { Io } from './io.ts';
import { listOf, printObject } from './output.ts';
import { tableText } from './table.ts';
import { visible } from './text-width.ts';
import { type Node, nodesOf } from './tree-nodes.ts';

const COLUMNS = ['OBJECT', 'COMPONENT', 'HEALTH', 'FROM', 'MESSAGE'];

/** `lateen tree APP`: every object of the inventory with health, file and line. Exit status 1 where one is not well. */
export async function tree(io: Io, options: Invocation): Promise<Exit> {
  const { argument: app, output = 'table' } = options;
  return withCluster(io, options, async (cluster) => {
    await getApplication(cluster, app);
    const nodes = await nodesOf(cluster, app);
    if (output !== 'table') await printObject(io, listOf(nodes.flatMap(flat)), output);
    else if (nodes.length === 0) io.stderr.write(`${app} has applied nothing yet.\n`);
    else io.stdout.write(`${tableText([COLUMNS, ...nodes.flatMap((node, index) => rows(node, '', index === nodes.length - 1))])}\n`);
    return nodes.every(isWell) ? exit.yes : exit.no;
  });
}

function isWell({ health, children }: Node): boolean {
  return health.state === 'Current' && children.every(isWell);
}

function rows(node: Node, indent: string, last: boolean): string[][] {
  const { reference, component, health, from, children } = node;
  const own = [`${indent}${last ? '└─' : '├─'} ${reference.kind}/${reference.name}`, component, health.state, from, health.message].map(
    visible,
  );
  const below = `${indent}${last ? '   ' : '│  '}`;
  return [own, ...children.flatMap((child, index) => rows(child, below, index === children.length - 1))];
}

function flat({ reference, component, health, from, children }: Node): Record<string, unknown>[] {
  const own = { ...reference, component, health: health.state, message: health.message, from };
  return [own, ...children.flatMap(flat)];
}
