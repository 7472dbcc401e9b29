// `make up`: a control plane, a Git server and an agent to play with, in the background until `make down`.
import { messageOf } from '#core/errors.ts';
import { untilSignal } from '#core/lifecycle.ts';
import { startAgent } from './agent.ts';
import { pushUrl } from './git-endpoint.ts';
import { ensureKeeper, type Keeper } from './keeper.ts';
import { runningState } from './keeper-state.ts';
import { shellSetup } from './shell-setup.ts';

/** The tenant of a fresh cluster. */
const NAMESPACE = 'default';

function show({ plane, started }: Keeper, agentLog: string): void {
  const { git } = plane;
  const lines = [
    started ? '\nRunning in the background:' : '\nIt was running already:',
    `  API server   ${plane.server}`,
    ...git.repositories.map((url) => `  Git          ${url}`),
    ...git.users.map(
      ({ name, password, write }) => `  Git user     ${name}, password ${password} (${write ? 'may push' : 'may not push'})`,
    ),
    `  agent        of namespace ${NAMESPACE}, pullInterval from 1s on; log: ${agentLog}`,
    '',
    'To work with it, paste this into a shell:',
    ...shellSetup(plane).map((line) => `  ${line}`),
    '',
    'Then, for example:',
    '  kubectl get nodes',
    '  lateen ls -A',
    ...git.repositories.map((url) => `  git clone ${pushUrl(url, git.users)}`),
    '',
    'Everybody may clone; a push asks for the user. Stop everything with: make down',
  ];
  console.log(lines.join('\n'));
}

const log = (line: string): void => console.error(line);
const signal = untilSignal();

try {
  const keeper = await ensureKeeper({ log, signal });
  const agent = await startAgent(keeper, { namespace: NAMESPACE, flags: { 'min-interval': '1s' }, keep: true });
  if (agent.started) log(`the agent of namespace ${NAMESPACE} is ready`);
  show(keeper, agent.logFile);
} catch (error) {
  log(signal.aborted ? '\nInterrupted.' : messageOf(error));
  if (await runningState()) log('What was started keeps running: make down stops it.');
  process.exitCode = signal.aborted ? 130 : 1;
}
