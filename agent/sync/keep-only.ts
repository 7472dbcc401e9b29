/** Takes out what is kept of others than these. */
export function keepOnly(kept: Map<string, unknown>, ids: ReadonlySet<string>): void {
  for (const id of kept.keys()) if (!ids.has(id)) kept.delete(id);
}
