import { getApplication } from './applications.ts';
import { withCluster } from './cluster.ts';
import type { Invocation } from './command.ts';
import { type Exit, exit } from './exit.ts';
import { type Io, style } from './io.ts';
import { printObject, shown } from './output.ts';
import { statusText } from './status-text.ts';

/** `lateen status APP [-o FORMAT]`. The exit status says that there is an answer, not that it is a good one, as with vela. */
export async function status(io: Io, options: Invocation): Promise<Exit> {
  const { argument: app, output = 'table' } = options;
  const application = await withCluster(io, options, (cluster) => getApplication(cluster, app));
  if (output !== 'table') {
    await printObject(io, shown(application), output);
    return exit.yes;
  }
  const heading = (text: string): string => style(io, io.stdout, 'bold', text);
  io.stdout.write(statusText(application, { timeZone: io.timeZone, nowMs: io.clock.now(), heading }));
  return exit.yes;
}
