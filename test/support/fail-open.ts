import { kubectl } from './namespace.ts';

const METRIC = 'apiserver_admission_webhook_fail_open_count';

/**
 * How many requests the API server has let pass because a webhook whose name ends in the domain did not answer. Under
 * `failurePolicy: Ignore` nothing else tells that rules were not asked.
 */
export async function failOpenCount(domain: string): Promise<number> {
  const lines = (await kubectl('get', '--raw', '/metrics')).split('\n');
  const series = lines.filter((line) => line.startsWith(`${METRIC}{`) && line.includes(`.${domain}"`));
  return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
