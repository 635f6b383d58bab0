const LONGEST_PATH = 200;

/** A URL as people may see it: query, fragment and userinfo are credentials and are never shown. */
export function shownUrl({ protocol, host, pathname }: URL): string {
  const path = pathname.length > LONGEST_PATH ? `${pathname.slice(0, LONGEST_PATH)}…` : pathname;
  return `${protocol}//${host}${path}`;
}
