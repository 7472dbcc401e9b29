// Loaded into an agent that is tested (node --import): at SIGUSR2 its clock of the wall is set an hour back, at the next one
// an hour ahead of the true one, then right again. The monotonic clock and its timers go on as a real one's do.
const HOUR_MS = 3_600_000;
const OFFSETS = [-HOUR_MS, HOUR_MS, 0] as const;

const trueNow = Date.now.bind(Date);
let jumps = 0;
let offsetMs = 0;

Date.now = () => trueNow() + offsetMs;

process.on('SIGUSR2', () => {
  offsetMs = OFFSETS[jumps++ % OFFSETS.length] ?? 0;
});
