import { createActor, type Actor, type InputFrom, type OutputFrom } from 'xstate';
import type { ACTOR_PORTS } from '../../machines/actor-ports.js';
import { statePath } from '../../machines/stage.js';
import { updateMachine, type UpdateMachine } from '../../machines/update-machine.js';
import { ScriptedActor } from './scripted-actor.js';

/**
 * The real update machine with actors that do nothing until a test says how they end:
 *
 *     const machine = startScriptedMachine();
 *     machine.send({ type: 'DOWNLOAD', order: ORDER });
 *     await machine.script.transfer.answer({ resumed: false });
 *     machine.path(); // 'verifying.hashing'
 *
 * `driveTo(machine, 'restarting.settling')` (machine-states.ts) goes the shortest way to any of its states.
 */
export interface ScriptedMachine {
  actor: Actor<UpdateMachine>;
  /** One script for each actor that the machine invokes. */
  script: Script;
  send: Actor<UpdateMachine>['send'];
  /** The state that it is in, outermost name first. */
  path(): string;
  stop(): void;
}

type Script = ReturnType<typeof newScript>;

type Ports = typeof ACTOR_PORTS;

function scripted<Name extends keyof Ports>(name: Name) {
  return new ScriptedActor<OutputFrom<Ports[Name]>, InputFrom<Ports[Name]>>(name);
}

function newScript() {
  return {
    transfer: scripted('transfer'),
    backOff: scripted('backOff'),
    awaitNetwork: scripted('awaitNetwork'),
    hashPackage: scripted('hashPackage'),
    inspectPackage: scripted('inspectPackage'),
    watchTrust: scripted('watchTrust'),
    askGuard: scripted('askGuard'),
    rehashPackage: scripted('rehashPackage'),
    stageRelease: scripted('stageRelease'),
    stopServices: scripted('stopServices'),
    switchFiles: scripted('switchFiles'),
    runPostCommands: scripted('runPostCommands'),
    startServices: scripted('startServices'),
    settleServices: scripted('settleServices'),
    commitRelease: scripted('commitRelease'),
    goBack: scripted('goBack'),
    goToFactory: scripted('goToFactory'),
    watchDone: scripted('watchDone'),
    tidy: scripted('tidy'),
  };
}

/** Starts the machine in idle. Stop it at the end of the test. */
export function startScriptedMachine(): ScriptedMachine {
  const script = newScript();
  const actors = {
    transfer: script.transfer.logic,
    backOff: script.backOff.logic,
    awaitNetwork: script.awaitNetwork.logic,
    hashPackage: script.hashPackage.logic,
    inspectPackage: script.inspectPackage.logic,
    watchTrust: script.watchTrust.logic,
    askGuard: script.askGuard.logic,
    rehashPackage: script.rehashPackage.logic,
    stageRelease: script.stageRelease.logic,
    stopServices: script.stopServices.logic,
    switchFiles: script.switchFiles.logic,
    runPostCommands: script.runPostCommands.logic,
    startServices: script.startServices.logic,
    settleServices: script.settleServices.logic,
    commitRelease: script.commitRelease.logic,
    goBack: script.goBack.logic,
    goToFactory: script.goToFactory.logic,
    watchDone: script.watchDone.logic,
    tidy: script.tidy.logic,
  };
  const actor = createActor(updateMachine.provide({ actors }));
  actor.start();
  return {
    actor,
    script,
    send: (event) => actor.send(event),
    path: () => statePath(actor.getSnapshot().value),
    stop: () => actor.stop(),
  };
}
