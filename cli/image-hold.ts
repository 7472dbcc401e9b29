import { annotation } from '#api/names.ts';
import { annotate, getApplication } from './applications.ts';
import { withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { CommandError, type Exit, exit } from './exit.ts';
import type { Io } from './io.ts';

/** `lateen image hold APP`: no image of the Application is set any more. */
export function imageHold(io: Io, options: Invocation): Promise<Exit> {
  return mark(io, options, 'true', 'no new image is set until lateen image resume');
}

/** `lateen image resume APP`: ends a hold, and forgets which tags people took back. */
export function imageResume(io: Io, options: Invocation): Promise<Exit> {
  return mark(io, options, `resumed ${new Date(io.clock.now()).toISOString()}`, 'the latest images are set again');
}

async function mark(io: Io, options: Invocation, value: string, words: string): Promise<Exit> {
  const { argument: app } = options;
  return withCluster(io, options, async (cluster) => {
    const application = await getApplication(cluster, app);
    const images = (application.spec?.components ?? []).filter(({ properties }) => properties?.['imageRepository'] !== undefined);
    if (images.length === 0) throw new CommandError(exit.no, `no component of the Application ${app} has imageRepository`);
    await annotate(cluster, app, { [annotation.imageHold]: value });
    io.stdout.write(`${app}: ${words} (${images.map(({ name }) => name).join(', ')})\n`);
    return exit.yes;
  });
}
