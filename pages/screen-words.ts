import { inChinese, inEnglish } from './screen-messages.js';

/** What the screen says in one language. */
export interface ScreenWords {
  title: string;
  /** The headline of each stage. */
  stages: Readonly<Record<string, string>>;
  /** A quiet sentence below it. */
  hints: Readonly<Record<string, string>>;
  steps: readonly [download: string, check: string, install: string, restart: string];
  /** What to do after a failure, by the kind of the failure. */
  failures: Readonly<Record<FailureKind, string>>;
  waiting: { headline: string; hint: string };
  /** The updater's own message, where it can be told in this language; else as it is. */
  message: (message: string) => string;
}

export type FailureKind =
  'network' | 'package' | 'room' | 'order' | 'busy' | 'device' | 'rolledBack' | 'noVersion' | 'other';

/** Which kind of failure an error code is, for a person before the device. */
export const FAILURE_KINDS: Readonly<Record<string, FailureKind>> = {
  DOWNLOAD_FAILED: 'network',
  INCOMPLETE_DOWNLOAD: 'network',
  PACKAGE_SIZE_MISMATCH: 'package',
  MD5_MISMATCH: 'package',
  SHA256_MISMATCH: 'package',
  SIGNATURE_INVALID: 'package',
  INVALID_PACKAGE: 'package',
  INVALID_MANIFEST: 'package',
  VERSION_NOT_ALLOWED: 'package',
  INCOMPATIBLE_DEVICE: 'package',
  DISK_FULL: 'room',
  VALIDATION_ERROR: 'order',
  OPERATION_IN_PROGRESS: 'order',
  PACKAGE_NOT_FOUND: 'order',
  DOWNLOAD_INCOMPLETE: 'order',
  MD5_NOT_VERIFIED: 'order',
  PACKAGE_EXPIRED: 'order',
  CANCELLED: 'order',
  DEVICE_BUSY: 'busy',
  SERVICE_STOP_FAILED: 'device',
  PROCESS_KILL_FAILED: 'device',
  DEPLOYMENT_FAILED: 'rolledBack',
  SERVICE_START_FAILED: 'rolledBack',
  HEALTH_CHECK_FAILED: 'rolledBack',
  POST_CMD_FAILED: 'rolledBack',
  ROLLBACK_FAILED: 'noVersion',
  INTERNAL_ERROR: 'other',
};

const ENGLISH: ScreenWords = {
  title: 'Update',
  stages: {
    idle: 'Up to date',
    downloading: 'Downloading the update',
    verifying: 'Checking the update',
    toInstall: 'Ready to install',
    installing: 'Installing the update',
    rebooting: 'Starting the new version',
    success: 'Update finished',
    failed: 'The update did not work',
  },
  hints: {
    idle: 'No update is going on.',
    downloading: 'You can go on using the device.',
    verifying: 'You can go on using the device.',
    toInstall: 'Start the installation when the device is free.',
    installing: 'Please leave the device switched on.',
    rebooting: 'Please leave the device switched on.',
    success: 'The device is ready. There is nothing else to do.',
    failed: '',
  },
  steps: ['Download', 'Check', 'Install', 'Restart'],
  failures: {
    network: 'Check the network connection, then start the update again. What is downloaded already is kept.',
    package: 'The update does not fit this device or is damaged. Nothing was changed. Please tell support.',
    room: 'There is not enough room. Delete some files, then start the update again.',
    order: 'Please start the update again.',
    busy: 'The device is in use. Start the update again when it is free.',
    device: 'Nothing was changed. Switch the device off and on, then start the update again.',
    rolledBack: 'The device runs the version it had before. Try again later, or tell support.',
    noVersion: 'Switch the device off and on. If that does not help, please tell support.',
    other: 'Please start the update again. If that does not help, tell support.',
  },
  waiting: { headline: 'One moment, please', hint: 'Waiting for the updater. This page goes on by itself.' },
  message: inEnglish,
};

const CHINESE: ScreenWords = {
  title: '系统更新',
  stages: {
    idle: '已是最新状态',
    downloading: '正在下载更新',
    verifying: '正在校验更新',
    toInstall: '可以安装',
    installing: '正在安装更新',
    rebooting: '正在启动新版本',
    success: '更新完成',
    failed: '更新未成功',
  },
  hints: {
    idle: '当前没有更新任务。',
    downloading: '您可以继续使用设备。',
    verifying: '您可以继续使用设备。',
    toInstall: '请在设备空闲时开始安装。',
    installing: '请保持设备通电。',
    rebooting: '请保持设备通电。',
    success: '设备已就绪，无需其他操作。',
    failed: '',
  },
  steps: ['下载', '校验', '安装', '重启'],
  failures: {
    network: '请检查网络连接，然后重新开始更新。已下载的内容会保留。',
    package: '更新包不适用于本设备或已损坏。设备未作任何更改，请联系售后支持。',
    room: '存储空间不足。请删除一些文件，然后重新开始更新。',
    order: '请重新开始更新。',
    busy: '设备正在使用中，请在空闲时重新开始更新。',
    device: '设备未作任何更改。请关机再开机，然后重新开始更新。',
    rolledBack: '设备已恢复到之前的版本。请稍后重试，或联系售后支持。',
    noVersion: '请关机再开机。如果仍无法使用，请联系售后支持。',
    other: '请重新开始更新。如果仍未成功，请联系售后支持。',
  },
  waiting: { headline: '请稍候', hint: '正在等待更新程序响应，本页面会自动继续。' },
  message: inChinese,
};

/** The words for a browser's language: Chinese, else English. */
export function wordsFor(language: string): ScreenWords & { language: string } {
  const isChinese = /^zh\b/i.test(language);
  return isChinese ? { ...CHINESE, language: 'zh-CN' } : { ...ENGLISH, language: 'en' };
}
