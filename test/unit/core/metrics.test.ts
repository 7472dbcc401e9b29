import { expect, it } from 'vitest';
import { Metrics } from '#core/metrics.ts';

it('writes the text format of Prometheus', () => {
  const metrics = new Metrics();
  const runs = metrics.counter('runs_total', 'Runs.');
  runs.add({ state: 'ok' });
  runs.add({ state: 'ok' }, 2);
  runs.add({ state: 'say "no"\\\n' });
  const commit = metrics.gauge('commit_info', 'Commit.');
  commit.set({ app: 'a', commit: '1' }, 1);
  commit.set({ app: 'b', commit: '2' }, 1);
  commit.clear({ app: 'a' });
  const seconds = metrics.histogram('seconds', 'Time.', [1, 5]);
  seconds.observe({ phase: 'apply' }, 0.5);
  seconds.observe({ phase: 'apply' }, 7);

  expect(metrics.text()).toBe(
    [
      '# HELP runs_total Runs.',
      '# TYPE runs_total counter',
      'runs_total{state="ok"} 3',
      'runs_total{state="say \\"no\\"\\\\\\n"} 1',
      '# HELP commit_info Commit.',
      '# TYPE commit_info gauge',
      'commit_info{app="b",commit="2"} 1',
      '# HELP seconds Time.',
      '# TYPE seconds histogram',
      'seconds_bucket{phase="apply",le="1"} 1',
      'seconds_bucket{phase="apply",le="5"} 1',
      'seconds_bucket{phase="apply",le="+Inf"} 2',
      'seconds_sum{phase="apply"} 7.5',
      'seconds_count{phase="apply"} 2',
      '',
    ].join('\n'),
  );
});

it('keeps no more series than it has room for', () => {
  const metrics = new Metrics();
  const many = metrics.counter('many_total', 'Many.');
  for (let index = 0; index < 20_000; index++) many.add({ index: String(index) });
  expect(metrics.text().split('\n').length).toBeLessThan(10_010);
});
