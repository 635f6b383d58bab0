import type { PackageIdentity } from '../../machines/package-order.js';
import { accepted, type UpdaterCaller } from './updater-caller.js';

/** What stands in the query of these URLs: nobody but the server may ever see it. */
export const URL_CREDENTIAL = 'AKIAsecretOfAnotherUrl';

let signed = 0;

/** Orders a package from a server, by a URL with a credential in it, another one each time. */
export async function orderFrom(
  device: UpdaterCaller,
  url: string,
  { version, md5, size }: PackageIdentity,
): Promise<void> {
  accepted(
    await device.post('/download', {
      version,
      package_url: `${url}?X-Amz-Signature=${URL_CREDENTIAL}&X-Amz-Date=${++signed}`,
      package_name: 'package.zip',
      package_size: size,
      package_md5: md5,
    }),
  );
}
