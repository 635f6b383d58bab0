/** What an updater is told of the device that it runs on. */
export interface DevicePlaces {
  configFile: string;
  root: string;
  workDir: string;
  /** Where device-api is. */
  apiUrl: string;
}

/** The environment of an updater of a test: this process's, without what would configure another updater. */
export function deviceEnvironment(
  { configFile, root, workDir, apiUrl }: DevicePlaces,
  more: NodeJS.ProcessEnv = {},
): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('TOPE_'));
  return {
    ...Object.fromEntries(inherited),
    TOPE_CONFIG: configFile,
    TOPE_PORT: '0',
    TOPE_DEVICE_API_URL: apiUrl,
    TOPE_WORK_DIR: workDir,
    TOPE_MANAGED_ROOT: root,
    TOPE_SERVICE_MANAGER: 'none',
    TOPE_OTA_GUI: '',
    ...more,
  };
}
