/** A promise that rejects with the next failure, if there is one; nobody has to wait for it. */
export function nextFailure(): PromiseWithResolvers<never> {
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  return failure;
}
