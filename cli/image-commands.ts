import type { CommandDeclaration, OptionDeclaration } from './command.ts';

const output: OptionDeclaration = { flags: '-o, --output <format>', help: 'text or json', choices: ['text', 'json'] };

/** `lateen image …`. */
export const imageCommands: readonly CommandDeclaration[] = [
  {
    name: 'image latest',
    summary: 'print the tag that a policy chooses, or the reason why there is none; needs no cluster',
    options: [
      { flags: '--policy <policy>', help: 'numerical:asc, alphabetical:desc, semver:RANGE and the like' },
      { flags: '--pattern <pattern>', help: 'RE2 pattern that a tag must match (filterTags.pattern)' },
      { flags: '--extract <template>', help: 'what is compared, such as $ts (filterTags.extract)' },
      { flags: '--tags <file>', help: 'file with one tag per line, or - for standard input' },
      { flags: '--image <ref>', help: 'the image; without --tags its registry is asked, as docker login has let you in' },
      { flags: '--exclude <pattern>', help: 'tags that never count (exclusionList; default: signatures and the like)' },
      { flags: '--prereleases <rule>', help: 'any or strict', choices: ['any', 'strict'] },
      { flags: '--explain', help: 'say of every tag whether it was kept, and why not' },
      output,
    ],
    examples: [
      ["lateen image latest --policy 'semver:>=1.0.0' --image ghcr.io/org/app", 'the highest release'],
      ["lateen image latest --policy numerical:asc --pattern '-([0-9]+)$' --extract '$1' --tags tags.txt --explain", 'why this one'],
    ],
    run: async (io, invocation) => (await import('./image-latest.ts')).imageLatest(io, invocation),
  },
  {
    name: 'image set',
    summary: 'write an image to its markers in files, exactly as the agent does; needs no cluster',
    argument: { name: 'policy=image', help: 'NAMESPACE:NAME=IMAGE[:TAG][@DIGEST]' },
    more: { name: 'path', help: 'files and folders' },
    options: [
      { flags: '--diff', help: 'print what would change, and change nothing' },
      { flags: '--stdout', help: 'print the changed file, and change nothing; for one file' },
    ],
    examples: [
      ['lateen image set default:image-gitops=ghcr.io/org/app:v2 ./application', 'in all files of a folder'],
      ['lateen image set default:image-gitops=ghcr.io/org/app:v2 app.yaml --diff', 'look first'],
    ],
    run: async (io, invocation) => (await import('./image-set.ts')).imageSet(io, invocation),
  },
  {
    name: 'image message',
    summary: 'print the message that a template makes of data; needs no cluster',
    options: [
      { flags: '--template <text>', help: 'the template, as in imageRepository.commitMessage' },
      { flags: '--data <json>', help: 'its root object' },
    ],
    examples: [['lateen image message --template "$T" --data \'{"Updated":{"Images":["app:v2"]}}\'', 'try a commitMessage']],
    run: async (io, invocation) => (await import('./image-message.ts')).imageMessage(io, invocation),
  },
  {
    name: 'image hold',
    summary: 'set no new image of an Application until it is resumed',
    argument: { name: 'app', help: 'name of the Application' },
    options: [],
    examples: [['lateen image hold image-gitops', 'the images stay as they are in Git']],
    run: async (io, invocation) => (await import('./image-hold.ts')).imageHold(io, invocation),
  },
  {
    name: 'image resume',
    summary: 'set new images again, those too that somebody took back',
    argument: { name: 'app', help: 'name of the Application' },
    options: [],
    examples: [['lateen image resume image-gitops', 'the latest tag is set again']],
    run: async (io, invocation) => (await import('./image-hold.ts')).imageResume(io, invocation),
  },
  {
    name: 'image explain',
    summary: 'show the way from the tags to the running image, and what stands in it',
    argument: { name: 'app', help: 'name of the Application' },
    options: [output],
    examples: [['lateen image explain image-gitops', 'tags, candidate, markers with file and line, commit, what runs']],
    run: async (io, invocation) => (await import('./image-explain.ts')).imageExplain(io, invocation),
  },
];
