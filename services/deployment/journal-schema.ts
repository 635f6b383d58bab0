/** Stands in each head of a journal. */
export const JOURNAL_FORMAT = 'tope-journal-2';

// A checksum stands before each of them, so the shape is only a question of another program version.
/** A mark in the head of a journal. */
export const JOURNAL_MARK_SCHEMA = {
  type: 'object',
  required: ['format', 'slot', 'areaBytes'],
  properties: { format: { const: JOURNAL_FORMAT } },
} as const;

/** The body of a journal. */
export const JOURNAL_BODY_SCHEMA = {
  type: 'object',
  required: [
    'purpose',
    'from',
    'to',
    'leftId',
    'pointers',
    'operations',
    'newFolders',
    'oldFolders',
    'plan',
    'roots',
  ],
} as const;
