import manifest from '../package.json' with { type: 'json' };

/** The version of package.json: that of the programs, the images and the charts. */
export const VERSION: string = manifest.version;
