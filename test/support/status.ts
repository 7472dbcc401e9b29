const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
const STEP_ID = /^[a-z0-9]{10}$/;
const HASH = /^[0-9a-f]{16}$/;

/** A copy of a status in which what differs from run to run is a word: TIME, ID, HASH. What has another form stays as it is. */
export function comparable(status: unknown): unknown {
  return JSON.parse(
    JSON.stringify(status, (key, value: unknown) => {
      if (typeof value !== 'string') return value;
      if (TIME.test(value)) return 'TIME';
      if (key === 'id' && STEP_ID.test(value)) return 'ID';
      return key === 'revisionHash' && HASH.test(value) ? 'HASH' : value;
    }),
  );
}
