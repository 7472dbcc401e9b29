import { fileURLToPath } from 'node:url';
import { kustomizeSchema } from '#api/kustomize.ts';
import { WAITING_PREFIX } from '#api/names.ts';
import { type Part, partOf } from '#api/schema.ts';

/**
 * The CUE of the ComponentDefinition `kustomize` for vela-core, with the parameters as they are declared in the code. It makes
 * one ConfigMap, by whose name the agent knows it.
 */

export const DEFINITION = fileURLToPath(new URL('../charts/lateen-agent/files/kustomize.cue', import.meta.url));

const HEAD = `output: {
	apiVersion: "v1"
	kind:       "ConfigMap"
	metadata: name: "${WAITING_PREFIX}\\(context.appName).\\(context.name)"
	data: message:  "waiting for Lateen to claim this Application"
}

`;

export function definitionText(): string {
  return `${HEAD}parameter: ${typeOf(partOf(kustomizeSchema), '')}\n`;
}

function typeOf({ schema, fields, item }: Part, indent: string): string {
  if (schema.type === 'object') {
    const lines = fields.map(([key, part]) => fieldOf(key, part, `${indent}\t`));
    return `{\n${lines.join('\n')}\n${indent}}`;
  }
  if (schema.type === 'array' && item) return `[...${typeOf(item, indent)}]`;
  if (schema.type === 'picklist') return (schema.options ?? []).map((option) => JSON.stringify(option)).join(' | ');
  const type = TYPES[schema.type];
  if (type === undefined) throw new Error(`the type ${schema.type} has no word in CUE here`);
  return type;
}

const TYPES: Readonly<Record<string, string>> = { string: 'string', boolean: 'bool', number: 'number' };

/** `// +usage=…`, as vela show prints it, and the field: optional, with a default, or required. */
function fieldOf(key: string, part: Part, indent: string): string {
  const type = typeOf(part, indent);
  const usage = `${indent}// +usage=${part.facts?.about ?? ''}\n`;
  if (part.default !== undefined) return `${usage}${indent}${key}: *${JSON.stringify(part.default)} | ${type}`;
  return `${usage}${indent}${key}${part.required ? '' : '?'}: ${type}`;
}
