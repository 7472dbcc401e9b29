/** What is there once the tests of a file run, to be named before. */
export function standingFor<Target extends object>(target: () => Target | undefined): Target {
  const get = (_: unknown, key: string | symbol): unknown => Reflect.get(target() ?? {}, key);
  return new Proxy({}, { get }) as Target;
}
