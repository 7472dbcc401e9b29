import type { Addition } from '../cluster/managed-fields.ts';
import type { ChangedField } from '../cluster/managed-fields.ts';

/** A field that stands otherwise in the cluster than in Git. */
export interface Difference extends ChangedField {
  /** Git does not have it. */
  added?: true;
}

const MAX_SHOWN = 5;

/** Fields of Git that were changed, then those that were added. */
export function differencesOf(changed: readonly ChangedField[], additions: Addition | undefined): Difference[] {
  const known = new Set(changed.map(({ path }) => path));
  const added = additions?.fields.filter((path) => !known.has(path)) ?? [];
  return [...changed, ...added.map((path) => ({ path, manager: additions?.manager, added: true as const }))];
}

/** `Deployment/web: kubectl-edit had changed spec.replicas; kubectl-label had added metadata.labels.a`. */
export function correctionText(name: string, differences: readonly Difference[]): string {
  const clauses = byDeed(differences).map(({ manager, deed, paths }) => `${manager} had ${deed} ${paths}`);
  return `${name}: ${clauses.length > 0 ? clauses.join('; ') : 'it had been changed'}`;
}

/** `kubectl-edit has changed spec.replicas of Deployment/web`. */
export function reportText(name: string, differences: readonly Difference[]): string {
  const clauses = byDeed(differences).map(({ manager, deed, paths }) => `${manager} has ${deed} ${paths}`);
  return clauses.length > 0 ? `${clauses.join('; ')} of ${name}` : `a field of ${name} that Git sets has been changed`;
}

function byDeed(differences: readonly Difference[]): { manager: string; deed: string; paths: string }[] {
  const groups = new Map<string, { manager: string; deed: string; paths: string[] }>();
  for (const { path, manager, added, stood } of differences) {
    const deed = added ? 'added' : manager === undefined && !stood ? 'removed' : 'changed';
    const key = `${deed} ${manager ?? ''}`;
    const group = groups.get(key) ?? { manager: manager ?? 'somebody', deed, paths: [] };
    group.paths.push(path);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ paths, ...rest }) => ({ ...rest, paths: paths.slice(0, MAX_SHOWN).join(', ') }));
}
