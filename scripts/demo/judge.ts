import type { DemoRelease } from './releases.js';
import type { Stage } from './stage.js';
import { askService, differences, Verdict, type ServiceAnswer } from './verdict.js';

/** What was under way when a connection or a process ended comes again; on a busy machine that is most. */
const MOST_FETCHED = 1.2;

/** Looks at files, processes and requests while the story is played, and never listens to the updater. */
export class Judge {
  readonly verdict = new Verdict();
  readonly #stage: Stage;
  readonly #said: { when: string; answers: ServiceAnswer[] }[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Asks each service which version it is, and remembers. */
  async listen(when: string): Promise<ServiceAnswer[]> {
    const { services, screen } = this.#stage;
    const answers: ServiceAnswer[] = [];
    for (const service of services) answers.push(await askService(service));
    for (const { service, version, data, pid } of answers)
      screen.line(service, `says: I am ${version}, with data of ${data}, process ${pid}`);
    this.#said.push({ when, answers });
    return answers;
  }

  /** That exactly this release is installed and runs, in other processes than when the services were asked last. */
  async installed(what: string, { files, version }: DemoRelease, when: string): Promise<void> {
    const { managedRoot, ownFile, supervisor } = this.#stage;
    const before = new Set(this.#said.at(-1)?.answers.map(({ pid }) => pid));
    const answers = await this.listen(when);
    const found = await differences(managedRoot, new Map([...files, ownFile]));
    this.verdict.note(`${what}: every file, and the owner's own one`, found);
    const wrong = answers.filter((answer) => answer.version !== version || answer.data !== version);
    this.verdict.note(
      `${what}: the services say so`,
      wrong.map((answer) => `${answer.service} says ${answer.version}, with data of ${answer.data}`),
    );
    const isForeign = ({ service, pid }: ServiceAnswer) =>
      supervisor.unit(`${service}.service`).state().mainPid !== pid;
    const old = answers.filter((answer) => before.has(answer.pid) || isForeign(answer));
    this.verdict.note(
      `${what}: the services are new processes, the supervisor's`,
      old.map(({ service, pid }) => `${service} answers as process ${pid}`),
    );
  }

  /** That the services answer although the updater is dead. */
  async servicesRun(when: string): Promise<void> {
    const { services } = this.#stage;
    const answers = await Promise.allSettled(services.map(askService));
    const silent = services.filter((_, index) => answers[index]?.status === 'rejected');
    this.verdict.note(
      `the services run on without the updater, ${when}`,
      silent.map(({ name }) => `${name} does not answer`),
    );
  }

  /** That a package, cut twice, was asked for from where it broke off each time. */
  requests({ order: { package_name: name, package_size: size } }: DemoRelease): void {
    const { packages, screen } = this.#stage;
    const requests = packages.requests(name);
    for (const { from, sent } of requests)
      screen.line('server', `was asked for ${name} from byte ${from}, sent ${sent} bytes`);
    const starts = requests.map(({ from }) => from);
    const goesOn = starts.every((from, index) => index === 0 || from > (starts[index - 1] ?? 0));
    this.verdict.note(
      'the cut download was resumed twice',
      starts.length === 3 && goesOn ? [] : [`it began at ${starts.join(', ')}`],
    );
    const sent = requests.reduce((sum, request) => sum + request.sent, 0);
    this.verdict.note(
      'the cuts cost less than a fifth of the package',
      sent <= size * MOST_FETCHED ? [] : [`${sent} bytes for a package of ${size}`],
    );
  }

  /** Whether a service has ended unasked, as its supervisor saw it. */
  crashes(promise: string, name: string, expected: boolean): void {
    const { crashes } = this.#stage.supervisor.unit(`${name}.service`);
    this.verdict.note(promise, crashes > 0 === expected ? [] : [`it crashed ${crashes} times`]);
  }

  /** That the updater has ended as it should. */
  ended(exitCode: number | null): void {
    this.verdict.note(
      'the updater ends with 0 on SIGTERM',
      exitCode === 0 ? [] : [`exit code ${String(exitCode)}`],
    );
  }

  /** Each service's own answers, before and after. */
  showAnswers(): void {
    const { screen, services } = this.#stage;
    const moments = this.#said.map(({ when }) => when);
    const row = (head: string, cells: string[]) =>
      [`         ${head.padEnd(11)}`, ...cells.map((cell, at) => cell.padEnd((moments[at]?.length ?? 0) + 2))]
        .join(' ')
        .trimEnd();
    screen.text(row('', moments));
    for (const { name } of services) {
      const own = this.#said.map(({ answers }) => answers.find(({ service }) => service === name)?.version);
      screen.text(
        row(
          name,
          own.map((version) => version ?? '?'),
        ),
      );
    }
  }
}
