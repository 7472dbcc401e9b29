import { Metrics } from '#core/metrics.ts';

/** Seconds; the aim is a p99 under 20 ms, the API server waits for 3 s. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 3];

/** Everything that the webhook counts; docs/webhook.md explains each. Labels come from closed sets. */
export class WebhookMetrics {
  readonly #metrics = new Metrics();
  readonly requests = this.#metrics.counter('lateen_webhook_requests_total', 'Decisions by webhook, operation and verdict.');
  readonly seconds = this.#metrics.histogram('lateen_webhook_request_duration_seconds', 'Time from the whole body to the answer.', SECONDS);
  readonly causes = this.#metrics.counter('lateen_webhook_causes_total', 'Decisions in which a reason was given, by its code.');
  readonly failures = this.#metrics.counter('lateen_webhook_failures_total', 'Requests that were answered with an HTTP error, by status.');
  readonly expiry = this.#metrics.gauge(
    'lateen_webhook_certificate_expiry_timestamp_seconds',
    'End of the life of the certificate that is served, in seconds since the epoch.',
  );
  readonly ready = this.#metrics.gauge(
    'lateen_webhook_ready',
    '1 after the server has reached itself with the bundle of the live configuration.',
  );

  text(): string {
    return this.#metrics.text();
  }
}
