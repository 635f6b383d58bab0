import { openServiceControl } from '../../services/service-control/open-service-control.js';
import { serveDevice } from './serve-device.js';

/** The updater, but the file that names the boot is the one in BOOT_ID_FILE: a test can so tell it of a reboot. */
process.exitCode = await serveDevice({
  control: ({ serviceManager, managedRoot, extraRoots }) =>
    openServiceControl(serviceManager, [managedRoot, ...extraRoots]),
  bootIdFile: process.env['BOOT_ID_FILE'],
});
