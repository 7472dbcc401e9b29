/** What differs from run to run in the output of the demo, by what stands for it. */
const MASKS: readonly [RegExp, string][] = [
  [/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT'],
  [/(?<=writer:|password=)[0-9a-f]{16}(?=[@ ])/g, 'PASSWORD'],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} \w+/g, 'TIME'],
  [/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME'],
  [/\d+\.\d KiB/g, 'SIZE'],
  [/\b[a-z]+-[0-9a-f]{8,10}-[0-9a-z]{5}\b/g, 'POD'],
  [/(?<=Date: |Since: +|LAST DEPLOYED: ).*/g, 'TIME'],
  [/\S+\/crane(?= tag )/g, 'CRANE'],
  [/\d+(?= of \d+ ready)/g, 'N'],
  [/(?<=Age: +)\S.*/g, 'AGE'],
  [/(?<=Next pull: ).*(?= \(every)/g, 'TIME'],
  [/(?<=cluster |removed |back )\d+\.\d s(?= after)/g, 'SECONDS'],
  [/(?<=\bid: )\w{10}\b/g, 'ID'],
  [/\b(?=[0-9a-f]*\d)[0-9a-f]{7}(?:[0-9a-f]{5}|[0-9a-f]{33})?\b/g, 'COMMIT'],
  // The last column of kubectl: `13s`, `2m58s`.
  [/(?<= {3})(?:\d+[smhd])+$/gm, 'AGE'],
];

/** The output of `make demo` without what differs from run to run; `places` are folders by the name that stands for them. */
export function maskDemo(output: string, places: Record<string, string> = {}): string {
  const placed = Object.entries(places).reduce((text, [name, folder]) => text.replaceAll(folder, name), output);
  return MASKS.reduce((text, [pattern, name]) => text.replace(pattern, name), placed);
}
