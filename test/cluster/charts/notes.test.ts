import { describe, expect, inject, it } from 'vitest';
import { bareTemplate, CHARTS, helm } from '#test/support/helm.ts';

describe('the notes after an installation', () => {
  const notes = async (chart: string, ...args: string[]): Promise<string> => {
    const reached = ['--kubeconfig', inject('plane').kubeconfig, '--namespace', 'team-a'];
    const printed = await helm('install', chart, `${CHARTS}${chart}`, '--dry-run=client', ...reached, ...args);
    return printed.slice(printed.indexOf('NOTES:'));
  };
  const image = '--set=image.repository=registry.test/lateen';

  it.each<[what: string, args: string[], next: string[]]>([
    [
      'a webhook',
      [image],
      ['kubectl rollout status deployment/lateen-webhook --namespace team-a', 'kubectl delete mutatingwebhookconfiguration'],
    ],
    [
      'a webhook elsewhere',
      ['--set=webhook.replicas=0,webhook.url=https://h.test'],
      ['kubectl create token lateen-webhook --namespace team-a'],
    ],
    ['no webhook', ['--set=webhook.enabled=false'], ['No webhook is installed']],
  ])('of the chart lateen, with %s, say what comes next', async (_, args, next) => {
    const said = await notes('lateen', ...args);
    for (const words of next) expect(said).toContain(words);
    const repository = args[0] === image ? 'registry.test/lateen' : 'IMAGE';
    const command = `helm install lateen-agent charts/lateen-agent --namespace NAMESPACE --set applications=all --set image.repository=${repository}\n`;
    expect(said).toContain(`\n  ${command}`);
    // It is a command that works.
    const flags = command.split(' ').filter((word) => /^\w+(\.\w+)?=/.test(word));
    await bareTemplate('lateen-agent', 'team-a', ...flags.map((flag) => `--set=${flag.trim()}`));
  });

  it.each([
    ['an agent', [image], 'kubectl rollout status deployment/lateen-agent --namespace team-a'],
    ['the rights alone', [image, '--set=deployment.enabled=false'], 'It runs where a pod of yours holds its container'],
  ])('of the chart lateen-agent, with %s', async (_, args, words) => {
    const said = await notes('lateen-agent', '--set=applications=all', ...args);
    expect(said).toContain(words);
    expect(said).toContain('\n  kubectl get applications --namespace team-a --watch\n');
  });
});
