/** One component of one Application: the unit that owns objects. */
export interface Owner {
  application: string;
  component: string;
}

/** `application/component`; neither holds a slash. */
export function ownerKey({ application, component }: Owner): string {
  return `${application}/${component}`;
}

/** As users read it. */
export function ownerText({ application, component }: Owner): string {
  return `component ${component} of Application ${application}`;
}
