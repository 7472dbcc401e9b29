import type { GenericSchema } from 'valibot';
import { kustomizeSchema } from './kustomize.ts';
import { policyTypes } from './policies.ts';
import type { Finding, Site } from './schema.ts';
import { stepTypes } from './steps.ts';
import { webserviceSchema, workerSchema } from './webservice.ts';
import { listText, quote, shorten } from './wording.ts';

/** What this version knows by name. A later version that knows more adds it here. */

const declarations: Readonly<Record<string, GenericSchema>> = {
  kustomize: kustomizeSchema,
  webservice: webserviceSchema,
  worker: workerSchema,
};

/** Component types that an agent of this version reconciles. */
const componentTypes: readonly string[] = Object.keys(declarations);

// KubeVela's traits for kustomize components (spec/kubevela.md §5.4): known by name, not yet carried out.
const PLANNED_TRAITS: ReadonlySet<string> = new Set(['kustomize-patch', 'kustomize-json-patch', 'kustomize-strategy-merge']);

export function declarationOf(type: string): GenericSchema | undefined {
  return Object.hasOwn(declarations, type) ? declarations[type] : undefined;
}

export function componentTypeRule(type: string, site: Site): Finding[] {
  if (componentTypes.includes(type)) return [];
  const [base = '', ...version] = type.split('@');
  if (version.length > 0 && componentTypes.includes(base)) {
    const text = `with a version (${quote(type)}) is not implemented in this version`;
    return [{ code: 'Unsupported', text, value: shorten(type), remedy: `write ${quote(base)}` }];
  }
  return [unknownType('UnknownComponentType', 'component type', type, { known: componentTypes, site })];
}

export function stepTypeRule(type: string, site: Site): Finding[] {
  return stepTypes.includes(type) ? [] : [unknownType('UnknownStepType', 'workflow step type', type, { known: stepTypes, site })];
}

export function traitTypeRule(type: string, site: Site): Finding[] {
  if (!PLANNED_TRAITS.has(type)) return [unknownType('UnknownTraitType', 'trait type', type, { known: [], site })];
  return [
    { code: 'Unsupported', text: `${quote(type)} is not implemented in this version`, value: shorten(type), remedy: 'remove the trait' },
  ];
}

export function policyTypeRule(type: string, site: Site): Finding[] {
  return policyTypes.includes(type) ? [] : [unknownType('UnknownPolicyType', 'policy type', type, { known: policyTypes, site })];
}

function unknownType(
  code: Finding['code'],
  noun: string,
  type: string,
  { known, site }: { known: readonly string[]; site: Site },
): Finding {
  const text = `is a ${noun} that this version does not know, received ${quote(type)}; it knows ${known.length > 0 ? listText(known) : 'none'}`;
  const guess = site.context.guess(type, known);
  const remedy = guess ? `did you mean ${quote(guess)}?` : known.length > 0 ? 'use one of them' : 'remove it';
  return { code, text, value: shorten(type), remedy };
}
