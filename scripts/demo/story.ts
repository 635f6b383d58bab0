import { Judge } from './judge.js';
import { buildRelease, placeAsFound, type DemoRelease } from './releases.js';
import type { Stage } from './stage.js';
import type { Doing } from './updater-process.js';
import { untilAnswering, type Verdict } from './verdict.js';

/** Where the connection breaks and where the updater is killed, percent of the download. */
const DROP_AT = 35;
const KILL_AT = 65;
/** From this percent of rebooting on the services run and are watched. */
const SETTLING_AT = 65;
const CRASHING = 'voice-app';

/** Plays the whole story; answers with what came true of it, judged by files and processes alone. */
export async function playStory(stage: Stage): Promise<Verdict> {
  const { screen, services, supervisor, updater, managedRoot, packageFolder: folder } = stage;
  const judge = new Judge(stage);

  screen.title('As found: two services that no updater has ever touched');
  await placeAsFound({ folder, managedRoot, services, version: '0.9.0' });
  for (const { name } of services) supervisor.unit(`${name}.service`).start();
  for (const service of services) await untilAnswering(service);
  await judge.listen('as found');
  const first = await buildRelease({ folder, managedRoot, services, version: '1.0.0' });
  const second = await buildRelease({ folder, managedRoot, services, version: '1.1.0' });
  const third = await buildRelease({ folder, managedRoot, services, version: '1.2.0', crashing: CRASHING });
  for (const { order } of [first, second, third])
    screen.line('pack', `built ${order.package_name}, ${order.package_size} bytes`);
  await updater.start();
  screen.line('demo', `the updater runs as process ${updater.pid}`);

  screen.title('1.0.0: an ordinary update');
  await download(stage, first);
  await updater.until(isReady);
  await install(stage, first);
  await updater.until(isOver);
  await judge.installed('1.0.0 is installed', first, 'after 1.0.0');

  screen.title('1.1.0: the connection drops, and the updater is killed twice');
  stage.packages.dropAt((second.order.package_size * DROP_AT) / 100, () =>
    screen.line('demo', `the package server drops the connection at ${DROP_AT} %`),
  );
  await download(stage, second);
  await updater.until((doing) => doing.stage === 'downloading' && doing.percent >= KILL_AT);
  await killAndStart(stage, judge, `at ${KILL_AT} % of the download`);
  await updater.until(isReady);
  judge.requests(second);
  await install(stage, second);
  await updater.until((doing) => doing.stage === 'rebooting' && doing.percent >= SETTLING_AT);
  await killAndStart(stage, judge, 'while the new version settles');
  await updater.until(isOver);
  await judge.installed('1.1.0 is installed', second, 'after 1.1.0');

  screen.title(`1.2.0: its ${CRASHING} crashes at the start`);
  judge.crashes(`${CRASHING} has not crashed so far`, CRASHING, false);
  await download(stage, third);
  await updater.until(isReady);
  await install(stage, third);
  await updater.until(isOver);
  judge.crashes(`${CRASHING} 1.2.0 was started and crashed`, CRASHING, true);
  await judge.installed('1.1.0 is back', second, 'after 1.2.0');

  screen.title('The end');
  judge.ended(await updater.stop());
  judge.showAnswers();
  return judge.verdict;
}

async function download(
  { screen, packages, updater }: Stage,
  { order, version }: DemoRelease,
): Promise<void> {
  const body = { ...order, package_url: packages.urlOf(order.package_name) };
  screen.line('order', `POST /download ${version}: ${await updater.order('/download', body)}`);
}

async function install({ screen, updater }: Stage, { version }: DemoRelease): Promise<void> {
  screen.line('order', `POST /update ${version}: ${await updater.order('/update', { version })}`);
}

async function killAndStart({ screen, updater }: Stage, judge: Judge, when: string): Promise<void> {
  const { pid } = updater;
  await updater.kill();
  screen.endBar();
  screen.line('demo', `SIGKILL to the updater (process ${pid}) ${when}`);
  await judge.servicesRun(when);
  await updater.start();
  screen.line('demo', `the updater is started again, as process ${updater.pid}`);
}

function isReady({ state }: Doing): boolean {
  return state === 'ready.waiting';
}

function isOver({ state }: Doing): boolean {
  return state === 'done' || state === 'failed';
}
