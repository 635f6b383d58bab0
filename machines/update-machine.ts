import { setup } from 'xstate';
import { ACTIONS } from './actions.js';
import { INPUTS } from './actor-inputs.js';
import { ACTOR_PORTS } from './actor-ports.js';
import { GUARDS } from './guards.js';
import { AFTER_RESTART } from './recovery.js';
import { INITIAL_CONTEXT, type UpdateContext } from './update-context.js';
import type { UpdateEvent } from './update-events.js';

const TYPES: { context: UpdateContext; events: UpdateEvent; tags: 'unsaved' } = {
  context: INITIAL_CONTEXT,
  events: { type: 'CANCEL' },
  tags: 'unsaved',
};

/** What an actor answered, for the action or guard that needs it. */
const answer = <Answer>({ event }: { event: { output: Answer } }) => event.output;

const START_DOWNLOAD = {
  guard: 'isWellFormed',
  target: '#updater.downloading',
  actions: 'takeOrder',
} as const;
const START_ROLLBACK = {
  guard: 'isWellFormed',
  target: '#updater.deploying.staging',
  actions: 'takeRollback',
} as const;

/** The error edges of a download, and of a step that has changed nothing: a package that is not worthless stays. */
const FAIL_DOWNLOAD = { target: '#updater.failed', actions: 'noteFailedDownload' } as const;
const FAIL = { target: '#updater.failed', actions: 'noteFailure' } as const;
/** The error edge of a step that may have stopped services. */
const UNDO = { target: 'undoing', actions: 'noteFailure' } as const;
/** The error edges of a step that begins or follows the switch: the version is bad, unless the way back says that it never began. */
const UNDO_BAD = { target: 'undoing', actions: ['noteFailure', 'noteBadVersion'] } as const;
const ROLL_BACK = { target: 'rollingBack', actions: ['noteFailure', 'noteBadVersion'] } as const;
/** A clean-up that fails decides nothing. */
const TELL_TIDY_FAILURE = { actions: 'noteTidyFailure' } as const;

/**
 * The update machine: the only place that knows what may happen next. HTTP sends it events and reads its state;
 * services are the actors that it invokes. Actions only assign; whatever touches the world is an actor, and an actor
 * acts only once the state that invoked it is saved (going back excepted). Where a restart leads: recovery.ts.
 * It is one long table on purpose: whoever reviews the transitions reads it once, from top to bottom.
 */
export const updateMachine = setup({
  types: TYPES,
  actors: ACTOR_PORTS,
  guards: GUARDS,
  actions: ACTIONS,
}).createMachine({
  id: 'updater',
  context: INITIAL_CONTEXT,
  initial: 'idle',
  on: {
    RESTORED: AFTER_RESTART.whatever,
    REPORT_DELIVERED: { actions: 'dropReport' },
  },
  states: {
    idle: {
      description: 'Nothing to do',
      invoke: {
        id: 'tidyIdle',
        src: 'tidy',
        input: INPUTS.whatIsKept,
        onDone: {},
        onError: TELL_TIDY_FAILURE,
      },
      on: { DOWNLOAD: START_DOWNLOAD, ROLLBACK: START_ROLLBACK, RESTORED: AFTER_RESTART.idle },
    },

    downloading: {
      description: 'Fetches the package, request by request',
      entry: { type: 'tell', params: { state: 'downloading' } },
      initial: 'transferring',
      on: {
        DOWNLOAD: { guard: 'isSamePackage', actions: 'takeFreshUrl' },
        CANCEL: { target: 'idle', actions: 'cancelDownload' },
        RESTORED: AFTER_RESTART.downloading,
      },
      states: {
        transferring: {
          invoke: {
            id: 'transfer',
            src: 'transfer',
            input: INPUTS.identity,
            onDone: { target: '#updater.verifying', actions: { type: 'noteTransfer', params: answer } },
            onError: [
              { guard: 'isNetworkAway', target: 'waitingForNetwork', actions: 'countBytes' },
              { guard: 'mayAskAgain', target: 'backingOff', actions: 'countAttempt' },
              FAIL_DOWNLOAD,
            ],
          },
        },
        backingOff: {
          invoke: {
            id: 'backOff',
            src: 'backOff',
            input: INPUTS.backOff,
            onDone: 'transferring',
            onError: FAIL_DOWNLOAD,
          },
        },
        waitingForNetwork: {
          invoke: {
            id: 'awaitNetwork',
            src: 'awaitNetwork',
            input: INPUTS.networkLoss,
            onDone: { target: 'transferring', actions: { type: 'noteNetworkLoss', params: answer } },
            onError: FAIL_DOWNLOAD,
          },
        },
      },
    },

    verifying: {
      description: 'Looks whether the bytes are the ordered ones and the package is a good one',
      entry: { type: 'tell', params: { state: 'verifying' } },
      initial: 'hashing',
      on: {
        DOWNLOAD: { guard: 'isSamePackage', actions: 'takeFreshUrl' },
        CANCEL: { target: 'idle', actions: 'cancelVerified' },
        RESTORED: AFTER_RESTART.verifying,
      },
      states: {
        hashing: {
          invoke: {
            id: 'hashPackage',
            src: 'hashPackage',
            input: INPUTS.digests,
            onDone: 'inspecting',
            onError: [{ guard: 'mayStartOver', target: '#updater.downloading', actions: 'startOver' }, FAIL],
          },
        },
        inspecting: {
          on: { RESTORED: AFTER_RESTART['verifying.inspecting'] },
          invoke: {
            id: 'inspectPackage',
            src: 'inspectPackage',
            input: INPUTS.identity,
            onDone: { target: '#updater.ready', actions: { type: 'notePackage', params: answer } },
            onError: FAIL,
          },
        },
      },
    },

    ready: {
      description: 'Waits for the word to install',
      entry: { type: 'tell', params: { state: 'ready' } },
      initial: 'waiting',
      on: {
        DOWNLOAD: [{ guard: 'isSamePackage' }, START_DOWNLOAD],
        CANCEL: { target: 'idle', actions: 'dropPackage' },
        RESTORED: AFTER_RESTART.ready,
      },
      states: {
        waiting: {
          invoke: {
            id: 'watchTrust',
            src: 'watchTrust',
            input: INPUTS.trust,
            onDone: [
              {
                guard: { type: 'hasTrustRunOutAt', params: answer },
                target: '#updater.failed',
                actions: 'noteExpiry',
              },
              { target: 'waiting', reenter: true, actions: { type: 'countTrust', params: answer } },
            ],
            onError: FAIL,
          },
          on: {
            UPDATE: [
              { guard: 'isVersionReadyButExpired', target: '#updater.failed', actions: 'noteExpiry' },
              { guard: 'isVersionReady', target: 'askingGuard', actions: 'forgetRefusal' },
            ],
          },
        },
        askingGuard: {
          description: 'Never saved: a restart finds the machine waiting, since nobody was told yes',
          tags: 'unsaved',
          invoke: {
            id: 'askGuard',
            src: 'askGuard',
            input: null,
            onDone: [
              {
                guard: { type: 'isDeviceFree', params: answer },
                target: '#updater.deploying',
                actions: 'takeUpdate',
              },
              { target: 'waiting', actions: { type: 'noteBusy', params: answer } },
            ],
            onError: { target: 'waiting', actions: 'noteUnclearGuard' },
          },
        },
      },
    },

    deploying: {
      description: 'Stages while services run, stops them, switches the files',
      entry: { type: 'tell', params: { state: 'deploying' } },
      initial: 'rehashing',
      on: { RESTORED: AFTER_RESTART.deploying },
      states: {
        rehashing: {
          invoke: {
            id: 'rehashPackage',
            src: 'rehashPackage',
            input: INPUTS.digests,
            onDone: 'staging',
            onError: FAIL,
          },
        },
        staging: {
          invoke: {
            id: 'stageRelease',
            src: 'stageRelease',
            input: INPUTS.deployment,
            onDone: { target: 'stopping', actions: { type: 'noteStaged', params: answer } },
            onError: FAIL,
          },
        },
        stopping: {
          on: { RESTORED: AFTER_RESTART['deploying.stopping'] },
          invoke: {
            id: 'stopServices',
            src: 'stopServices',
            input: INPUTS.deployment,
            onDone: 'switching',
            onError: UNDO,
          },
        },
        switching: {
          on: { RESTORED: AFTER_RESTART['deploying.switching'] },
          invoke: {
            id: 'switchFiles',
            src: 'switchFiles',
            input: INPUTS.deployment,
            onDone: '#updater.restarting',
            onError: UNDO_BAD,
          },
        },
        undoing: {
          on: { RESTORED: AFTER_RESTART['deploying.undoing'] },
          invoke: {
            id: 'undo',
            src: 'goBack',
            input: INPUTS.cause,
            onDone: { target: '#updater.failed', actions: { type: 'noteWayBack', params: answer } },
            onError: { target: '#updater.restarting.rollingBack.toFactory', actions: 'noteFailedWayBack' },
          },
        },
      },
    },

    restarting: {
      description: 'Starts the services, watches them settle, commits, or rolls back',
      entry: { type: 'tell', params: { state: 'restarting' } },
      initial: 'postCommands',
      on: { RESTORED: AFTER_RESTART.restarting },
      states: {
        postCommands: {
          invoke: {
            id: 'runPostCommands',
            src: 'runPostCommands',
            input: null,
            onDone: 'starting',
            onError: ROLL_BACK,
          },
        },
        starting: {
          invoke: {
            id: 'startServices',
            src: 'startServices',
            input: null,
            onDone: 'settling',
            onError: ROLL_BACK,
          },
        },
        settling: {
          invoke: {
            id: 'settleServices',
            src: 'settleServices',
            input: null,
            onDone: 'committing',
            onError: ROLL_BACK,
          },
        },
        committing: {
          invoke: {
            id: 'commitRelease',
            src: 'commitRelease',
            input: null,
            onDone: { target: '#updater.done', actions: { type: 'noteCommit', params: answer } },
            onError: ROLL_BACK,
          },
        },
        rollingBack: {
          initial: 'toPrevious',
          on: { RESTORED: AFTER_RESTART['restarting.rollingBack'] },
          states: {
            toPrevious: {
              invoke: {
                id: 'rollBack',
                src: 'goBack',
                input: INPUTS.cause,
                onDone: { target: '#updater.failed', actions: { type: 'noteWayBack', params: answer } },
                onError: { target: 'toFactory', actions: 'noteFailedWayBack' },
              },
            },
            toFactory: {
              on: { RESTORED: AFTER_RESTART['restarting.rollingBack.toFactory'] },
              invoke: {
                id: 'rollBackToFactory',
                src: 'goToFactory',
                input: INPUTS.cause,
                onDone: { target: '#updater.failed', actions: { type: 'noteWayBack', params: answer } },
                onError: { target: '#updater.failed', actions: 'noteNoWayBack' },
              },
            },
          },
        },
      },
    },

    done: {
      description: 'The new version runs and is committed',
      entry: { type: 'tell', params: { state: 'done' } },
      invoke: [
        { id: 'tidyDone', src: 'tidy', input: INPUTS.whatIsKept, onDone: {}, onError: TELL_TIDY_FAILURE },
        {
          id: 'watchDone',
          src: 'watchDone',
          input: INPUTS.doneFor,
          onDone: { target: 'idle', actions: 'forgetUpdate' },
          onError: { target: 'idle', actions: 'forgetUpdate' },
        },
      ],
      on: { DOWNLOAD: START_DOWNLOAD, ROLLBACK: START_ROLLBACK, RESTORED: AFTER_RESTART.done },
    },

    failed: {
      description: 'Tells what went wrong until the next order; the device runs a version that works',
      entry: { type: 'tell', params: { state: 'failed' } },
      invoke: [
        { id: 'tidyFailed', src: 'tidy', input: INPUTS.whatIsKept, onDone: {}, onError: TELL_TIDY_FAILURE },
        {
          id: 'watchKeptPackage',
          src: 'watchTrust',
          input: INPUTS.trust,
          onDone: [
            {
              guard: { type: 'hasTrustRunOutAt', params: answer },
              target: 'failed',
              reenter: true,
              actions: 'forgetPackage',
            },
            { target: 'failed', reenter: true, actions: { type: 'countTrust', params: answer } },
          ],
          onError: TELL_TIDY_FAILURE,
        },
      ],
      on: { DOWNLOAD: START_DOWNLOAD, ROLLBACK: START_ROLLBACK, RESTORED: AFTER_RESTART.failed },
    },
  },
});

export type UpdateMachine = typeof updateMachine;
