/** Numbers for Prometheus, in its text format 0.0.4. A library would cost more memory than all of them (spec/dependencies.md §9). */

type Labels = Readonly<Record<string, string>>;

interface Family {
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  /** Lines without the name of the family. */
  lines: (name: string) => string[];
}

export interface Counter {
  add(labels?: Labels, by?: number): void;
}

export interface Gauge {
  set(labels: Labels, value: number): void;
  /** Takes away every series that carries these labels. */
  clear(labels: Labels): void;
}

export interface Histogram {
  observe(labels: Labels, value: number): void;
}

/** Series of one family; more labels than this are a mistake, and must not eat the memory. */
const MAX_SERIES = 10_000;

/** All families of a program. */
export class Metrics {
  readonly #families = new Map<string, Family>();

  counter(name: string, help: string): Counter {
    const series = new Series();
    this.#families.set(name, { help, type: 'counter', lines: (family) => series.lines(family) });
    return { add: (labels = {}, by = 1) => series.change(labels, (value) => value + by) };
  }

  gauge(name: string, help: string): Gauge {
    const series = new Series();
    this.#families.set(name, { help, type: 'gauge', lines: (family) => series.lines(family) });
    return { set: (labels, value) => series.change(labels, () => value), clear: (labels) => series.clear(labels) };
  }

  /** `bounds` ascending, in the unit of the name. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    const [buckets, sums, counts] = [new Series(), new Series(), new Series()];
    const lines = (family: string): string[] => [
      ...buckets.lines(`${family}_bucket`),
      ...sums.lines(`${family}_sum`),
      ...counts.lines(`${family}_count`),
    ];
    this.#families.set(name, { help, type: 'histogram', lines });
    return {
      observe(labels, value) {
        for (const bound of [...bounds, Number.POSITIVE_INFINITY]) {
          const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound);
          buckets.change({ ...labels, le }, (count) => count + (value <= bound ? 1 : 0));
        }
        sums.change(labels, (sum) => sum + value);
        counts.change(labels, (count) => count + 1);
      },
    };
  }

  /** The page that Prometheus reads. */
  text(): string {
    const families = [...this.#families].map(([name, { help, type, lines }]) =>
      [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines(name)].join('\n'),
    );
    return `${families.join('\n')}\n`;
  }
}

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

class Series {
  readonly #values = new Map<string, { labels: Labels; value: number }>();

  change(labels: Labels, update: (value: number) => number): void {
    const key = labelText(labels);
    const found = this.#values.get(key);
    if (!found && this.#values.size >= MAX_SERIES) return;
    this.#values.set(key, { labels, value: update(found?.value ?? 0) });
  }

  clear(labels: Labels): void {
    const wanted = Object.entries(labels);
    for (const [key, series] of this.#values) if (wanted.every(([name, value]) => series.labels[name] === value)) this.#values.delete(key);
  }

  lines(name: string): string[] {
    return [...this.#values].map(([labels, { value }]) => `${name}${labels} ${value}`);
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
