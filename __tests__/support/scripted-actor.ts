import { fromPromise, type PromiseActorLogic } from 'xstate';

/** A scripted actor: it is invoked by the machine and ends when the test says so. */
export class ScriptedActor<Output, Input> {
  readonly logic: PromiseActorLogic<Output, Input>;
  /** The input of every invocation so far. */
  readonly inputs: Input[] = [];
  readonly #name: string;
  #pending: {
    signal: AbortSignal;
    resolve: (output: Output) => void;
    reject: (error: Error) => void;
  } | null = null;

  constructor(name: string) {
    this.#name = name;
    this.logic = fromPromise<Output, Input>(({ input, signal }) => {
      this.inputs.push(input);
      return new Promise((resolve, reject) => (this.#pending = { signal, resolve, reject }));
    });
  }

  /** Whether the machine has invoked it, it has not ended, and its state has not been left. */
  get isPending(): boolean {
    return this.#pending?.signal.aborted === false;
  }

  /** Ends the invocation with this output; answers when the machine has taken it in. Throws if there is none. */
  async answer(output: Output): Promise<void> {
    this.#take().resolve(output);
    await nextTurn();
  }

  /** Ends the invocation with this error; answers when the machine has taken it in. Throws if there is none. */
  async fail(error: Error): Promise<void> {
    this.#take().reject(error);
    await nextTurn();
  }

  #take() {
    const pending = this.#pending;
    if (pending === null || pending.signal.aborted) throw new Error(`${this.#name} is not invoked now`);
    this.#pending = null;
    return pending;
  }
}

/** Answers when everything that was already settled has been taken in. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
