import { systemClock } from '#core/clock.ts';
import { messageOf, toError } from '#core/errors.ts';
import { untilSignal } from '#core/lifecycle.ts';
import { createLog } from '#core/log.ts';
import { runProgram } from '#core/program.ts';
import { createRedactor } from '#core/redact.ts';
// oxlint-disable-next-line no-restricted-imports -- the version of the programs, as in agent/version.ts
import manifest from '../package.json' with { type: 'json' };
import { type Connection, createCluster, inClusterConnection } from './cluster.ts';
import { webhookSettings } from './settings.ts';
import { Webhook, type WebhookSettings } from './webhook.ts';

const VERSION: string = manifest.version;

async function connect({ kubeconfig, context }: WebhookSettings): Promise<Connection> {
  if (kubeconfig === '') return inClusterConnection(process.env);
  const { kubeconfigConnection } = await import('./kubeconfig.ts');
  return kubeconfigConnection(kubeconfig, context);
}

/** What to do when everything else fails: one line that needs nothing of ours. */
function breakGlass({ configuration }: WebhookSettings): string {
  return `kubectl delete mutatingwebhookconfiguration,validatingwebhookconfiguration ${configuration}`;
}

async function run(settings: WebhookSettings): Promise<number> {
  const redactor = createRedactor();
  const log = createLog({ level: settings.logLevel, redactor, write: (line) => process.stdout.write(line) });
  const signal = untilSignal();
  process.on('unhandledRejection', (error) => log.error('unhandled rejection', { error: messageOf(error), stack: toError(error).stack }));
  log.info('lateen-webhook', { version: VERSION, node: process.version, namespace: settings.namespace, turnOff: breakGlass(settings) });
  const cluster = createCluster(await connect(settings), `lateen-webhook/${VERSION}`);
  await new Webhook({ settings, cluster, clock: systemClock, log, random: Math.random }).run(signal);
  log.info('stopped');
  return 0;
}

process.exitCode = await runProgram(
  {
    name: 'lateen-webhook',
    version: VERSION,
    summary: 'judges Applications before they get into the cluster.',
    usage: '[settings]',
    settings: webhookSettings,
    run,
  },
  process.argv.slice(2),
);
