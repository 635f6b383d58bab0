/** What the headline of the screen says already. */
const HEADLINES =
  /^(No update in progress|Downloading package\.\.\.|Verifying package\.\.\.|Package verified, ready to install|Installing\.\.\.|Update finished|Update failed)(; | |$)/;

/** The updater's own messages, clause by clause. */
const CHINESE: readonly (readonly [RegExp, string])[] = [
  [/^Checking the package again\.\.\.$/, '正在再次校验'],
  [/^Installing module (.*) \((\d+\/\d+)\)$/, '正在安装模块 $1（$2）'],
  [/^Installing module (.*)$/, '正在安装模块 $1'],
  [/^Restoring files\.\.\.$/, '正在恢复文件'],
  [/^Stopping services\.\.\.$/, '正在停止服务'],
  [/^Switching files\.\.\.$/, '正在切换文件'],
  [/^Files switched$/, '文件已切换'],
  [/^Restarting services\.\.\.$/, '正在重启服务'],
  [/^Started (.*) \((\d+\/\d+)\)$/, '已启动 $1（$2）'],
  [/^Watching the services settle\.\.\.$/, '正在确认服务运行正常'],
  [/^services were not started \(no service manager\)$/, '服务未启动（本设备没有服务管理器）'],
  [/^(.*) was edited on this device: kept as (.*)$/, '$1 曾在本设备上被修改，已另存为 $2'],
  [
    /^(.*) had .*, the new file has not: set them anew if it needs them$/,
    '$1 的特殊权限未保留，如有需要请重新设置',
  ],
];

/** A message of the updater as it is told, without what the headline says. */
export function inEnglish(message: string): string {
  return message.replace(HEADLINES, '');
}

/** The same in Chinese; a clause that is not known stays as it is. */
export function inChinese(message: string): string {
  return inEnglish(message).split('; ').map(clauseInChinese).join('；');
}

function clauseInChinese(clause: string): string {
  const found = CHINESE.find(([pattern]) => pattern.test(clause));
  return found === undefined ? clause : clause.replace(found[0], found[1]);
}
