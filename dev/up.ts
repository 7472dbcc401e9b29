// `make up`: a control plane, a Git server and an agent to play with, in the background until `make down`.
import { messageOf } from '#core/errors.ts';
import { startAgent } from './agent.ts';
import { ensureKeeper, type Keeper } from './keeper.ts';

/** The tenant of a fresh cluster. */
const NAMESPACE = 'default';

function show({ plane, started }: Keeper): void {
  const { git } = plane;
  console.log(started ? '\nRunning in the background:' : '\nIt was running already:');
  console.log(`  export KUBECONFIG=${plane.kubeconfig}`);
  console.log(`  API server   ${plane.server}`);
  for (const url of git.repositories) console.log(`  git clone ${url}`);
  for (const { name, password, write } of git.users) {
    console.log(`  Git user     ${name}, password ${password} (${write ? 'may push' : 'may not push'})`);
  }
  console.log(`  kubectl      ${plane.programs.kubectl}`);
  console.log('\nEverybody may clone; a push asks for the user. Stop everything with: make down');
}

const log = (line: string): void => console.error(line);

try {
  const keeper = await ensureKeeper({ log });
  const agent = await startAgent(keeper, { namespace: NAMESPACE, flags: { 'min-interval': '1s' }, keep: true });
  if (agent) log(`the agent of namespace ${NAMESPACE} is ready; its log: ${agent.logFile}`);
  show(keeper);
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
