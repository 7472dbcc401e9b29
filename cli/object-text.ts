import type { KubeObject } from '#api/kubernetes.ts';
import { oneLine } from '#core/errors.ts';
import type { Io } from './io.ts';
import { listOf, printObject, yamlText } from './output.ts';

/** An object, or a note where there is none to print. */
export interface PrintedObject {
  object?: KubeObject;
  note?: string;
  /** Where it comes from, as the comment above it. */
  source: string;
}

/** The objects as YAML documents, each under a comment that names its source; or as one List. */
export async function printObjects(io: Io, printed: readonly PrintedObject[], format: 'yaml' | 'json'): Promise<void> {
  const objects = printed.flatMap(({ object }) => object ?? []);
  if (format === 'json') return printObject(io, listOf(objects), 'json');
  for (const { object, note, source } of printed) {
    const lines = [`# Source: ${oneLine(source)}`, ...(note ? [`# ${oneLine(note)}`] : [])];
    io.stdout.write(`---\n${lines.join('\n')}\n${object ? await yamlText(object) : ''}`);
  }
}
