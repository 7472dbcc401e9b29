import { type LetGo, letGo, takeClaimOff } from '#agent/cluster/handback.ts';
import type { Inventory } from '#agent/manifest/inventory.ts';
import type { Application } from '#api/application.ts';
import { isHandedBack } from '#api/claim.ts';
import { parseDuration } from '#api/duration.ts';
import { isClaimed, isFromParent, isReleased, marked } from '#api/handback.ts';
import { displayName } from '#api/kubernetes.ts';
import { annotation, CLAIM, label } from '#api/names.ts';
import { rfc3339 } from '#core/clock.ts';
import { actingAgent } from './acting-agent.ts';
import { APPLICATION, getApplication } from './applications.ts';
import { waitForApplication } from './application-watch.ts';
import { type Cluster, withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import { readInventory } from './inventory.ts';
import { holdingOf } from './inventory-holding.ts';
import type { Io } from './io.ts';
import { gitParentOf, mustBeOfNoOther } from './publish-rules.ts';

const DEFAULT_TIMEOUT = '60s';
/** An agent that stops in between gives its Lease back: then this command goes on itself. */
const SLICE_MS = 3_000;
const DEADLINE_MS = 15_000;

interface Handback {
  app: string;
  timeoutMs: number;
  timeout: string;
}

/**
 * `lateen handback APP`: the mark first, from which on the agent leaves it alone and lets go of it; the claim last, from which
 * on vela-core may begin. Broken off anywhere, it is simply called again.
 */
export async function handback(io: Io, options: Invocation): Promise<Exit> {
  const { argument: app, timeout = DEFAULT_TIMEOUT } = options;
  const timeoutMs = parseDuration(timeout);
  if (timeoutMs === undefined || timeoutMs <= 0)
    throw new CommandError(exit.usage, `--timeout: received ${JSON.stringify(timeout)}`, 'write a Go duration such as 60s or 5m');
  return withCluster(io, options, async (cluster) => {
    const application = await getApplication(cluster, app);
    mayBeHandedBack(application);
    const inventory = await readInventory(cluster, app);
    if (isHandedBack(application.metadata.annotations ?? {}) && !isClaimed(application) && !inventory) {
      io.stdout.write(`${app} has been handed back already.\n`);
      return exit.yes;
    }
    await mark(cluster, application, rfc3339(io.clock.now()));
    await release(io, cluster, { app, timeoutMs, timeout });
    await takeClaimOff({ ...KIND, namespace: cluster.namespace, name: app }, { client: cluster.client });
    io.stdout.write(outcome(application, inventory));
    return exit.yes;
  });
}

function mayBeHandedBack(application: Application): void {
  const { name, annotations = {}, labels = {} } = application.metadata;
  mustBeOfNoOther(application);
  if (labels[label.pause] === 'true')
    throw new CommandError(exit.no, `the Application ${name} is paused: nobody acts on it`, `take the label ${label.pause} off first`);
  if (isFromParent(application, annotation.controllerVersionRequire)) {
    const parent = gitParentOf(application);
    const whose = parent === undefined ? '' : ` of the Application ${parent}`;
    throw new CommandError(
      exit.no,
      `the Application ${name} comes from the repository${whose}, which would claim it again`,
      `write the annotation ${annotation.handedBack}: "true" into its file, and take ${annotation.controllerVersionRequire} out where it stands there`,
    );
  }
  const held = annotations[annotation.hold];
  if (held !== undefined)
    throw new CommandError(
      exit.no,
      `the Application ${name} is held at ${held}, and vela-core would roll out what its spec says`,
      `end the hold first: lateen resume ${name}`,
    );
}

async function mark(cluster: Cluster, application: Application, atTime: string): Promise<void> {
  if (isHandedBack(application.metadata.annotations ?? {})) return;
  const { name, namespace } = application.metadata;
  await cluster.client.mergePatch({ ...KIND, namespace, name }, marked(atTime), { timeoutMs: DEADLINE_MS });
}

/** By the agent, which knows what it is about to write; where none acts, by this command, with the rights of whoever calls it. */
async function release(io: Io, cluster: Cluster, { app, timeoutMs, timeout }: Handback): Promise<void> {
  const endMs = io.clock.now() + timeoutMs;
  while ((await actingAgent(cluster)) !== 'none') {
    const leftMs = endMs - io.clock.now();
    if (leftMs <= 0) throw notReleased(cluster, app, timeout);
    const until = (application: Application): boolean => isReleased(application) || !isClaimed(application);
    if (await waitForApplication(io, cluster, { name: app, timeoutMs: Math.min(leftMs, SLICE_MS), until })) return;
  }
  const inventory = await readInventory(cluster, app);
  const holding = inventory && holdingOf(inventory, cluster);
  const { left } = await letGo(await getApplication(cluster, app), holding, { client: cluster.client, now: rfc3339(io.clock.now()) });
  warnOf(io, left);
}

function warnOf(io: Io, left: LetGo['left']): void {
  for (const { object, why } of left) io.stderr.write(`warning: ${displayName(object)} keeps the labels of Lateen: ${why}\n`);
}

function notReleased({ namespace }: Cluster, app: string, timeout: string): CommandError {
  return new CommandError(
    exit.timeout,
    `the agent of the namespace ${namespace} did not let go of ${app} within ${timeout}; it runs on as it is, and nobody reconciles it`,
    `look at the log of the agent, and call lateen handback ${app} again: it goes on where it was`,
  );
}

function outcome({ metadata: { name, namespace } }: Application, inventory: Inventory | undefined): string {
  const entries = inventory?.entries ?? [];
  const objects = entries.length === 1 ? '1 object, which stays as it is' : `${entries.length} objects, which stay as they are`;
  const nested = entries.filter((entry) => entry.kind === APPLICATION.kind && entry.apiVersion.startsWith(`${APPLICATION.group}/`));
  const names = nested.map((entry) => entry.name).join(', ');
  return [
    `Handed back: Lateen has let go of ${name} and ${objects}.`,
    'vela-core runs it from now on, where there is one.',
    ...(nested.length > 0 ? [`Nested Applications stay whose they are: ${names}.`] : []),
    `To give it to Lateen again: kubectl annotate application ${name} -n ${namespace} ${annotation.handedBack}- ${annotation.controllerVersionRequire}=${CLAIM}`,
    '',
  ].join('\n');
}

const KIND = { apiVersion: `${APPLICATION.group}/${APPLICATION.version}`, kind: APPLICATION.kind };
