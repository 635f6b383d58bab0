import { setup } from 'xstate';
import { ACTOR_PORTS } from './actor-ports.js';
import { ACTIONS, failureOf } from './actions.js';
import { GUARDS } from './guards.js';
import {
  badVersionOf,
  causeOf,
  deploymentOf,
  INITIAL_CONTEXT,
  orderOf,
  type UpdateContext,
} from './update-context.js';
import type { UpdateEvent } from './update-events.js';

const TYPES: { context: UpdateContext; events: UpdateEvent; tags: 'unsaved' } = {
  context: INITIAL_CONTEXT,
  events: { type: 'CANCEL' },
  tags: 'unsaved',
};

interface Failed {
  event: { error: unknown };
}
const failure = ({ event }: Failed) => failureOf(event.error);

/** The error edge of a step that has changed nothing: the package stays unless the failure says it is worthless. */
const FAIL_KEEPING_PACKAGE = {
  target: '#updater.failed',
  actions: { type: 'noteFailure', params: failure },
} as const;

/** The error edge of a step of `deploying` that may have stopped or changed something. */
const UNDO = { target: 'undoing', actions: { type: 'noteFailure', params: failure } } as const;

/** The error edge of a step of `restarting`: the new version has proven bad. */
const ROLL_BACK = {
  target: '#updater.restarting.rollingBack',
  actions: [{ type: 'noteFailure', params: failure }, 'noteBadVersion'],
} as const;

const START_DOWNLOAD = { target: '#updater.downloading', actions: 'takeOrder' } as const;
const START_ROLLBACK = { target: '#updater.deploying.staging', actions: 'takeRollback' } as const;

/**
 * The update machine: the only place that knows what may happen next. HTTP sends it events and reads its state;
 * services are the actors that it invokes. Actions only assign; whatever touches the world is an actor, and an actor
 * acts only once the state that invoked it is saved (going back excepted).
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
    // After a restart the journal outranks the saved state: it knows what was done to the files.
    RESTORED: [
      { guard: 'isLastResortGoingOn', target: '.restarting.rollingBack.toFactory', actions: 'takeUpJournal' },
      { guard: 'isJournalUndone', target: '.deploying.undoing', actions: 'takeUpJournal' },
      { guard: 'isJournalUndoing', target: '.restarting.rollingBack', actions: 'takeUpJournal' },
      { guard: 'isJournalSwitching', target: '.deploying.undoing', actions: 'takeUpJournal' },
      {
        guard: 'isNewVersionHanging',
        target: '.restarting.rollingBack',
        actions: ['takeUpJournal', 'noteHangingVersion', 'noteBadVersion'],
      },
      { guard: 'isJournalSwitched', target: '.restarting.postCommands', actions: 'takeUpJournal' },
      { guard: 'isJournalStopping', target: '.deploying.undoing', actions: 'takeUpJournal' },
    ],
    REPORT_DELIVERED: { actions: 'dropReport' },
  },
  states: {
    idle: {
      description: 'Nothing to do',
      invoke: {
        id: 'tidyIdle',
        src: 'tidy',
        input: ({ context }) => ({ kept: context.kept, identity: context.order, bad: null }),
        onError: { actions: { type: 'noteTidyFailure', params: failure } },
      },
      on: { DOWNLOAD: START_DOWNLOAD, ROLLBACK: START_ROLLBACK },
    },

    downloading: {
      description: 'Fetches the package, request by request',
      entry: { type: 'tell', params: { state: 'downloading' } },
      initial: 'transferring',
      on: {
        DOWNLOAD: { guard: 'isSamePackage', actions: 'takeFreshUrl' },
        CANCEL: { target: 'idle', actions: 'cancelDownload' },
        RESTORED: { guard: 'isDownloadStuck', target: 'failed', actions: 'noteStuckDownload' },
      },
      states: {
        transferring: {
          invoke: {
            id: 'transfer',
            src: 'transfer',
            input: ({ context }) => ({ identity: orderOf(context) }),
            onDone: {
              target: '#updater.verifying',
              actions: { type: 'noteTransfer', params: ({ event }) => event.output },
            },
            onError: [
              {
                guard: { type: 'isNetworkAway', params: failure },
                target: 'waitingForNetwork',
                actions: { type: 'countBytes', params: failure },
              },
              {
                guard: { type: 'mayAskAgain', params: failure },
                target: 'backingOff',
                actions: { type: 'countAttempt', params: failure },
              },
              { target: '#updater.failed', actions: { type: 'noteFailedDownload', params: failure } },
            ],
          },
        },
        backingOff: {
          invoke: {
            id: 'backOff',
            src: 'backOff',
            input: ({ context }) => ({ delayMs: context.attempts.nextDelayMs }),
            onDone: 'transferring',
            onError: { target: '#updater.failed', actions: { type: 'noteFailedDownload', params: failure } },
          },
        },
        waitingForNetwork: {
          invoke: {
            id: 'awaitNetwork',
            src: 'awaitNetwork',
            input: ({ context }) => ({ since: context.attempts.networkLostAt }),
            onDone: {
              target: 'transferring',
              actions: { type: 'noteNetworkLoss', params: ({ event }) => event.output },
            },
            onError: { target: '#updater.failed', actions: { type: 'noteFailedDownload', params: failure } },
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
      },
      states: {
        hashing: {
          invoke: {
            id: 'hashPackage',
            src: 'hashPackage',
            input: ({ context }) => ({ identity: orderOf(context), sha256: context.order?.sha256 ?? null }),
            onDone: 'inspecting',
            onError: [
              {
                guard: { type: 'mayStartOver', params: failure },
                target: '#updater.downloading',
                actions: 'startOver',
              },
              FAIL_KEEPING_PACKAGE,
            ],
          },
        },
        inspecting: {
          invoke: {
            id: 'inspectPackage',
            src: 'inspectPackage',
            input: ({ context }) => ({ identity: orderOf(context) }),
            onDone: {
              target: '#updater.ready',
              actions: { type: 'notePackage', params: ({ event }) => event.output },
            },
            onError: FAIL_KEEPING_PACKAGE,
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
        RESTORED: [
          { guard: 'hasTrustRunOut', target: 'failed', actions: 'noteExpiry' },
          { guard: 'isPackageGone', target: 'failed', actions: 'noteMissingPackage' },
        ],
      },
      states: {
        waiting: {
          invoke: {
            id: 'watchTrust',
            src: 'watchTrust',
            input: ({ context }) => ({ trust: context.trust }),
            onDone: [
              {
                guard: { type: 'hasTrustRunOutAt', params: ({ event }) => event.output },
                target: '#updater.failed',
                actions: 'noteExpiry',
              },
              {
                target: 'waiting',
                reenter: true,
                actions: { type: 'countTrust', params: ({ event }) => event.output },
              },
            ],
            onError: FAIL_KEEPING_PACKAGE,
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
                guard: { type: 'isDeviceFree', params: ({ event }) => event.output },
                target: '#updater.deploying',
                actions: 'takeUpdate',
              },
              { target: 'waiting', actions: { type: 'noteBusy', params: ({ event }) => event.output } },
            ],
            onError: {
              target: 'waiting',
              actions: { type: 'noteUnclearGuard', params: failure },
            },
          },
        },
      },
    },

    deploying: {
      description: 'Stages while services run, stops them, switches the files',
      entry: { type: 'tell', params: { state: 'deploying' } },
      initial: 'rehashing',
      states: {
        rehashing: {
          invoke: {
            id: 'rehashPackage',
            src: 'rehashPackage',
            input: ({ context }) => ({ identity: orderOf(context), sha256: context.order?.sha256 ?? null }),
            onDone: 'staging',
            onError: FAIL_KEEPING_PACKAGE,
          },
        },
        staging: {
          invoke: {
            id: 'stageRelease',
            src: 'stageRelease',
            input: ({ context }) => ({ deployment: deploymentOf(context) }),
            onDone: {
              target: 'stopping',
              actions: { type: 'noteStaged', params: ({ event }) => event.output },
            },
            onError: FAIL_KEEPING_PACKAGE,
          },
        },
        stopping: {
          on: {
            RESTORED: [{ guard: 'isJournalStopping' }, { guard: 'isThereNoJournal', target: 'staging' }],
          },
          invoke: {
            id: 'stopServices',
            src: 'stopServices',
            input: ({ context }) => ({ deployment: deploymentOf(context) }),
            onDone: 'switching',
            onError: UNDO,
          },
        },
        switching: {
          on: {
            RESTORED: { guard: 'isThereNoJournal', target: 'undoing', actions: 'takeUpJournal' },
          },
          invoke: {
            id: 'switchFiles',
            src: 'switchFiles',
            input: ({ context }) => ({ deployment: deploymentOf(context) }),
            onDone: '#updater.restarting',
            onError: UNDO,
          },
        },
        undoing: {
          on: { RESTORED: { guard: 'isLastResortAbsent', description: 'goes on, whatever the phase' } },
          invoke: {
            id: 'undo',
            src: 'goBack',
            input: ({ context }) => ({ cause: causeOf(context) }),
            onDone: {
              target: '#updater.failed',
              actions: { type: 'noteWayBack', params: ({ event }) => event.output },
            },
            onError: {
              target: '#updater.restarting.rollingBack.toFactory',
              actions: { type: 'noteFailedWayBack', params: failure },
            },
          },
        },
      },
    },

    restarting: {
      description: 'Starts the services, watches them settle, commits, or rolls back',
      entry: { type: 'tell', params: { state: 'restarting' } },
      initial: 'postCommands',
      on: {
        RESTORED: [
          { guard: 'isCommitted', target: 'done', actions: 'noteCommittedBefore' },
          { guard: 'isThereNoJournal', target: 'failed', actions: 'takeUpJournal' },
        ],
      },
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
            onDone: {
              target: '#updater.done',
              actions: { type: 'noteCommit', params: ({ event }) => event.output },
            },
            onError: ROLL_BACK,
          },
        },
        rollingBack: {
          initial: 'toPrevious',
          on: { RESTORED: { guard: 'isLastResortAbsent', description: 'goes on, whatever the phase' } },
          states: {
            toPrevious: {
              invoke: {
                id: 'rollBack',
                src: 'goBack',
                input: ({ context }) => ({ cause: causeOf(context) }),
                onDone: {
                  target: '#updater.failed',
                  actions: { type: 'noteWayBack', params: ({ event }) => event.output },
                },
                onError: {
                  target: 'toFactory',
                  actions: { type: 'noteFailedWayBack', params: failure },
                },
              },
            },
            toFactory: {
              invoke: {
                id: 'rollBackToFactory',
                src: 'goToFactory',
                input: ({ context }) => ({ cause: causeOf(context) }),
                onDone: {
                  target: '#updater.failed',
                  actions: { type: 'noteWayBack', params: ({ event }) => event.output },
                },
                onError: {
                  target: '#updater.failed',
                  actions: { type: 'noteNoWayBack', params: failure },
                },
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
        {
          id: 'tidyDone',
          src: 'tidy',
          input: { kept: 'nothing', identity: null, bad: null },
          onError: { actions: { type: 'noteTidyFailure', params: failure } },
        },
        {
          id: 'watchDone',
          src: 'watchDone',
          input: ({ context }) => ({ doneFor: context.doneFor }),
          onDone: { target: 'idle', actions: 'forgetUpdate' },
          onError: { target: 'idle', actions: 'forgetUpdate' },
        },
      ],
      on: { DOWNLOAD: START_DOWNLOAD, ROLLBACK: START_ROLLBACK },
    },

    failed: {
      description: 'Tells what went wrong until the next order; the device runs a version that works',
      entry: { type: 'tell', params: { state: 'failed' } },
      invoke: [
        {
          id: 'tidyFailed',
          src: 'tidy',
          input: ({ context }) => ({
            kept: context.kept,
            identity: context.order,
            bad: badVersionOf(context),
          }),
          onError: { actions: { type: 'noteTidyFailure', params: failure } },
        },
        {
          id: 'watchKeptPackage',
          src: 'watchTrust',
          input: ({ context }) => ({ trust: context.trust }),
          onDone: [
            {
              guard: { type: 'hasTrustRunOutAt', params: ({ event }) => event.output },
              target: 'failed',
              reenter: true,
              actions: 'forgetPackage',
            },
            {
              target: 'failed',
              reenter: true,
              actions: { type: 'countTrust', params: ({ event }) => event.output },
            },
          ],
          onError: { actions: { type: 'noteTidyFailure', params: failure } },
        },
      ],
      on: {
        DOWNLOAD: START_DOWNLOAD,
        ROLLBACK: START_ROLLBACK,
        RESTORED: {
          guard: 'isJournalUndone',
          description: 'undone and told: only the journal is left to remove',
        },
      },
    },
  },
});

export type UpdateMachine = typeof updateMachine;
