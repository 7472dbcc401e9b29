import type { Application } from '#api/application.ts';
import type { LiveObjects } from '../cluster/live-objects.ts';
import { referenceTo, version } from './application-facts.ts';

/** The newest that is known of one Application, from the watch and from the answers to our own writes. */
export class NewestApplication {
  readonly #live: Pick<LiveObjects, 'lists'>;
  #application: Application;
  /** How many listings of Applications had begun at the last answer. */
  #answeredAt = 0;

  constructor(application: Application, live: Pick<LiveObjects, 'lists'>) {
    this.#application = application;
    this.#live = live;
  }

  get application(): Application {
    return this.#application;
  }

  /**
   * False where it is older than an answer: the watch lags behind those. Not where everything was listed since, whatever the
   * version says: an etcd that was restored counts anew.
   */
  told(application: Application): boolean {
    const { listed } = this.#live.lists(referenceTo(application));
    if (version(application) < version(this.#application) && listed <= this.#answeredAt) return false;
    this.#application = application;
    return true;
  }

  /** False where the watch has told something newer meanwhile. */
  answered(application: Application): boolean {
    this.#answeredAt = this.#live.lists(referenceTo(application)).begun;
    if (version(application) < version(this.#application)) return false;
    this.#application = application;
    return true;
  }
}
