interface Complaint {
  instancePath: string;
  message?: string;
}

/**
 * What does not fit a shape, in a few words, from ajv's complaints: the one that is farthest in. Where a value may also be
 * null ajv says so of it and of those around it; that is not what is wrong.
 */
export function faultIn(complaints: Complaint[] | null | undefined): string {
  const depth = ({ instancePath }: Complaint) => instancePath.split('/').length;
  const faults = (complaints ?? []).filter(({ message }) => message !== 'must be null');
  const [first] = faults.sort((a, b) => depth(b) - depth(a));
  if (first === undefined) return 'unknown';
  return `${first.instancePath === '' ? 'it' : first.instancePath} ${first.message ?? ''}`;
}
