import { Metrics } from '#core/metrics.ts';
import { VERSION } from './version.ts';

/** Steps of a run (spec/sync.md §6A). */
export type RunPhase = 'resolve' | 'fetch' | 'build' | 'apply' | 'health' | 'prune';

/** From a listing on a fast server to a large first apply. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Everything that the agent counts; docs/metrics.md explains each. */
export class AgentMetrics {
  readonly #metrics = new Metrics();
  readonly runs = this.#metrics.counter('lateen_agent_runs_total', 'Runs of components, by their state.');
  readonly #phases = this.#metrics.histogram('lateen_agent_phase_seconds', 'Time of each step of a run that did something.', SECONDS);
  readonly apiRequests = this.#metrics.counter('lateen_agent_api_requests_total', 'Answers of the API server.');
  readonly gitRequests = this.#metrics.counter('lateen_agent_git_requests_total', 'Calls of Git servers.');
  readonly drift = this.#metrics.counter('lateen_agent_drift_total', 'Objects that differed from Git.');
  readonly lastSuccess = this.#metrics.gauge(
    'lateen_agent_last_success_timestamp_seconds',
    'When a component was last found applied and well.',
  );
  readonly revision = this.#metrics.gauge('lateen_agent_revision_info', 'The commit that a component has applied.');
  readonly heldPrunes = this.#metrics.gauge('lateen_agent_held_prune_objects', 'Objects whose removal waits for approval.');
  readonly imageScans = this.#metrics.counter('lateen_agent_image_scans_total', 'Listings of image tags.');
  readonly imageTags = this.#metrics.gauge('lateen_agent_image_tags', 'Image tags that a component had to choose among.');
  readonly imageCommits = this.#metrics.counter('lateen_agent_image_commits_total', 'Commits with new images that were pushed.');
  readonly imageHolds = this.#metrics.gauge('lateen_agent_image_held_markers', 'Markers whose image stays because a person wants it so.');
  readonly leader = this.#metrics.gauge('lateen_agent_leader', '1 while this replica acts, 0 while it stands by.');
  readonly #build = this.#metrics.gauge('lateen_agent_build_info', 'Version and runtime.');

  constructor() {
    this.#build.set({ version: VERSION, node: process.version }, 1);
    this.leader.set({}, 0);
  }

  /** Runs a step and records how long it took; a step that has nothing to do is not to be timed. */
  async timed<Result>(phase: RunPhase, work: () => Promise<Result>): Promise<Result> {
    const begun = performance.now();
    try {
      return await work();
    } finally {
      this.took(phase, performance.now() - begun);
    }
  }

  /** Time that a step took which nobody waited for, in milliseconds. */
  took(phase: RunPhase, ms: number): void {
    this.#phases.observe({ phase }, ms / 1_000);
  }

  /** A component is gone, or all that an Application had. */
  forget(labels: { application: string; component?: string }): void {
    for (const gauge of [this.lastSuccess, this.revision, this.heldPrunes, this.imageTags, this.imageHolds]) gauge.clear(labels);
  }

  text(): string {
    return this.#metrics.text();
  }
}
