/** Prometheus text exposition (version 0.0.4), as much of it as a webhook needs. */

type Labels = Record<string, string>;

/** Seconds; the aim is a p99 under 20 ms, the API server waits for 3 s. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 3];
/** Labels come from a closed set; the bound is for the day that somebody adds one that does not. */
const MAX_SERIES = 1_000;

interface Histogram {
  buckets: number[];
  count: number;
  sum: number;
}

export class Metrics {
  readonly #counters = new Map<string, Map<string, number>>();
  readonly #gauges = new Map<string, () => number>();
  readonly #histograms = new Map<string, Map<string, Histogram>>();
  readonly #help = new Map<string, string>();

  /** Declares what a name means; names without a line of help are a defect that the test finds. */
  describe(name: string, help: string): void {
    this.#help.set(name, help);
  }

  count(name: string, labels: Labels): void {
    const series = seriesOf(this.#counters, name);
    const key = labelText(labels);
    if (series.has(key) || series.size < MAX_SERIES) series.set(key, (series.get(key) ?? 0) + 1);
  }

  /** `read` is called when somebody asks. */
  gauge(name: string, read: () => number): void {
    this.#gauges.set(name, read);
  }

  observe(name: string, labels: Labels, seconds: number): void {
    const series = seriesOf(this.#histograms, name);
    const key = labelText(labels);
    const histogram = series.get(key) ?? { buckets: BUCKETS.map(() => 0), count: 0, sum: 0 };
    for (const [index, bound] of BUCKETS.entries()) if (seconds <= bound) histogram.buckets[index]! += 1;
    histogram.count += 1;
    histogram.sum += seconds;
    series.set(key, histogram);
  }

  text(): string {
    const lines: string[] = [];
    for (const [name, series] of this.#counters)
      lines.push(...this.#head(name, 'counter'), ...[...series].map(([key, value]) => `${name}{${key}} ${value}`));
    for (const [name, read] of this.#gauges) lines.push(...this.#head(name, 'gauge'), `${name} ${read()}`);
    for (const [name, series] of this.#histograms)
      lines.push(...this.#head(name, 'histogram'), ...[...series].flatMap(([key, one]) => histogramLines(name, key, one)));
    return `${lines.join('\n')}\n`;
  }

  #head(name: string, type: string): string[] {
    return [`# HELP ${name} ${this.#help.get(name) ?? ''}`, `# TYPE ${name} ${type}`];
  }
}

function seriesOf<Value>(metrics: Map<string, Map<string, Value>>, name: string): Map<string, Value> {
  const known = metrics.get(name) ?? new Map<string, Value>();
  metrics.set(name, known);
  return known;
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}="${value.replace(/[\\"\n]/g, '_')}"`)
    .join(',');
}

function histogramLines(name: string, key: string, { buckets, count, sum }: Histogram): string[] {
  const bounds = BUCKETS.map((bound, index) => `${name}_bucket{${key},le="${bound}"} ${buckets[index]}`);
  return [...bounds, `${name}_bucket{${key},le="+Inf"} ${count}`, `${name}_sum{${key}} ${sum}`, `${name}_count{${key}} ${count}`];
}
