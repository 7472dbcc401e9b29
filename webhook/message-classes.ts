import type { Express } from 'express';
import { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Classes for node's server whose instances already have the prototypes of an express app. Express changes the prototype of
 * every request and response otherwise, and V8 then forgets what it knew of their shape: half of the time of a review.
 */
export function messageClasses(app: Express): { IncomingMessage: typeof IncomingMessage; ServerResponse: typeof ServerResponse } {
  class AppRequest extends IncomingMessage {}
  class AppResponse extends ServerResponse {}
  adopt(AppRequest.prototype, app.request, app);
  adopt(AppResponse.prototype, app.response, app);
  // What the app compares with: the same object, so that there is nothing to change.
  Object.assign(app, { request: AppRequest.prototype, response: AppResponse.prototype });
  return { IncomingMessage: AppRequest, ServerResponse: AppResponse as typeof ServerResponse };
}

function adopt(prototype: object, express: object, app: Express): void {
  Object.setPrototypeOf(prototype, express);
  Object.defineProperty(prototype, 'app', { value: app, configurable: true, enumerable: true, writable: true });
}
