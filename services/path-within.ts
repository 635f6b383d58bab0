/** Whether a normalised absolute path lies below a folder, and is not that folder. */
export function isBelow(path: string, folder: string): boolean {
  return path.length > folder.length && path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/** Whether a normalised absolute path is a folder or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || isBelow(path, folder);
}
