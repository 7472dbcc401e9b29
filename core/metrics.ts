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
    const series = new Map<string, Measured>();
    this.#families.set(name, { help, type: 'histogram', lines: (family) => histogramLines(family, bounds, series) });
    return {
      observe(labels, value) {
        const key = pairsOf(labels);
        let measured = series.get(key);
        if (!measured) {
          if (series.size >= MAX_SERIES) return;
          series.set(key, (measured = { buckets: bounds.map(() => 0), sum: 0, count: 0 }));
        }
        // Each bucket counts alone what is not in the one before: the page adds them up.
        const index = bounds.findIndex((bound) => value <= bound);
        if (index >= 0) measured.buckets[index]! += 1;
        measured.sum += value;
        measured.count += 1;
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
    const key = pairsOf(labels);
    const found = this.#values.get(key);
    if (!found && this.#values.size >= MAX_SERIES) return;
    this.#values.set(key, { labels, value: update(found?.value ?? 0) });
  }

  clear(labels: Labels): void {
    const wanted = Object.entries(labels);
    for (const [key, series] of this.#values) if (wanted.every(([name, value]) => series.labels[name] === value)) this.#values.delete(key);
  }

  lines(name: string): string[] {
    return [...this.#values].map(([pairs, { value }]) => `${name}${braced(pairs)} ${value}`);
  }
}

/** What a histogram knows of one set of labels. */
interface Measured {
  buckets: number[];
  sum: number;
  count: number;
}

function histogramLines(name: string, bounds: readonly number[], series: ReadonlyMap<string, Measured>): string[] {
  const each = (line: (pairs: string, measured: Measured) => string | string[]): string[] =>
    [...series].flatMap(([pairs, measured]) => line(pairs, measured));
  return [
    ...each((pairs, { buckets, count }) => {
      let below = 0;
      const lines = bounds.map((bound, index) => `${name}_bucket${braced(pairs, `le="${bound}"`)} ${(below += buckets[index]!)}`);
      return [...lines, `${name}_bucket${braced(pairs, 'le="+Inf"')} ${count}`];
    }),
    ...each((pairs, { sum }) => `${name}_sum${braced(pairs)} ${sum}`),
    ...each((pairs, { count }) => `${name}_count${braced(pairs)} ${count}`),
  ];
}

function braced(...pairs: string[]): string {
  const there = pairs.filter((pair) => pair !== '');
  return there.length === 0 ? '' : `{${there.join(',')}}`;
}

const SPECIAL = /[\\"\n]/;

function pairsOf(labels: Labels): string {
  let text = '';
  for (const name in labels) {
    const value = labels[name]!;
    const escaped = SPECIAL.test(value) ? value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n') : value;
    text += `${text === '' ? '' : ','}${name}="${escaped}"`;
  }
  return text;
}
