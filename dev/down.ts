// `make down`: stops what `make up` and `make demo` left running in this checkout.
import { messageOf } from '#core/errors.ts';
import { stopKeeper } from './keeper.ts';

try {
  const stopped = await stopKeeper();
  console.log(stopped ? 'Stopped: nothing of this checkout is running.' : 'Nothing of this checkout was running.');
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
