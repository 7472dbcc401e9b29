import type { Redactor } from '#core/redact.ts';
import type { EventRecorder } from './cluster/events.ts';
import { Scans } from './image/scans.ts';
import type { AgentMetrics } from './metrics.ts';
import { ImageAutomation } from './sync/image-automation.ts';
import { pullSecret } from './sync/image-secrets.ts';
import type { ImageWriterContext } from './sync/image-writer.ts';
import type { Inventories } from './sync/inventories.ts';
import type { Secrets } from './sync/secrets.ts';
import { VERSION } from './version.ts';

export interface ImageParts extends ImageWriterContext {
  secrets: Secrets;
  redactor: Redactor;
  inventories: Inventories;
  events: EventRecorder;
  insecureRegistries: readonly string[];
  metrics: AgentMetrics;
}

/** Everything that imageRepository needs, wired. */
export function assembleImages(parts: ImageParts): { images: ImageAutomation; scans: Scans } {
  const { secrets, redactor, insecureRegistries, clock, random, log, metrics } = parts;
  const dockerConfig = async (name: string) => pullSecret(name, await secrets.read(name), redactor);
  const scans = new Scans({
    userAgent: `lateen-agent/${VERSION}`,
    insecureRegistries,
    clock,
    dockerConfig,
    random,
    log,
    scans: metrics.imageScans,
  });
  return { images: new ImageAutomation({ ...parts, scans }), scans };
}
