import type { ObjectMeta } from '#api/kubernetes.ts';
import type { Io } from './io.ts';

/** Any object or List as kubectl prints it: JSON with four spaces, or YAML that programs in Go read as it was meant. */
export async function printObject(io: Io, object: unknown, format: 'json' | 'yaml'): Promise<void> {
  if (format === 'json') io.stdout.write(`${JSON.stringify(object, null, 4)}\n`);
  else io.stdout.write(await yamlText(object));
}

/**
 * YAML 1.1: `on`, `yes` and `1:30` are quoted, else Go readers take them for booleans and numbers
 * (spec/dependencies.md §3.2). Keys sorted, long lines whole, no aliases.
 */
export async function yamlText(object: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(object, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false, sortMapEntries: true });
}

export function listOf(items: readonly unknown[]): Record<string, unknown> {
  return { apiVersion: 'v1', kind: 'List', metadata: {}, items };
}

/** managedFields are for programs that write; kubectl leaves them out too. */
export function shown<Shown extends { metadata: ObjectMeta }>(object: Shown): Shown {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
