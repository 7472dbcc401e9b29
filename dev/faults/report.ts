import type { SeededResult } from './seeded.ts';

/** What a run of all scenarios has come to. */
export class Report {
  #scenarios = 0;
  #crashPoints = 0;
  #lost = 0;
  #wronglyDeleted = 0;
  #violated = 0;
  readonly #faults = new Map<string, number>();

  crashed(problems: readonly string[], killed: boolean): void {
    this.#crashPoints += 1;
    this.#note(problems);
    if (killed) this.#add('killed at a write', 1);
  }

  seeded({ faults, problems, wronglyDeleted }: SeededResult): void {
    this.#scenarios += 1;
    this.#note([...problems, ...wronglyDeleted.map((one) => `wrongly deleted: ${one}`)]);
    for (const [name, count] of faults) this.#add(name, count);
  }

  /** A scenario that broke off counts as violated: nobody knows what it would have shown. */
  get ok(): boolean {
    return this.#violated === 0;
  }

  text(): string {
    const total = [...this.#faults.values()].reduce((sum, count) => sum + count, 0);
    const rows: [string, number][] = [
      ['seeded scenarios', this.#scenarios],
      ['crash points', this.#crashPoints],
      ['faults injected', total],
      ...[...this.#faults]
        .toSorted(([left], [right]) => (left < right ? -1 : 1))
        .map(([name, count]): [string, number] => [`  ${name}`, count]),
      ['lost', this.#lost],
      ['wrongly deleted', this.#wronglyDeleted],
      ['scenarios with a violation', this.#violated],
    ];
    const width = Math.max(...rows.map(([name]) => name.length));
    return rows.map(([name, count]) => `${name.padEnd(width)}  ${String(count).padStart(6)}`).join('\n');
  }

  #note(problems: readonly string[]): void {
    if (problems.length > 0) this.#violated += 1;
    this.#lost += problems.filter((problem) => problem.includes('is lost')).length;
    this.#wronglyDeleted += problems.filter((problem) => problem.startsWith('wrongly deleted')).length;
  }

  #add(name: string, count: number): void {
    this.#faults.set(name, (this.#faults.get(name) ?? 0) + count);
  }
}
