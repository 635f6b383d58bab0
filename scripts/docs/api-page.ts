import { openApiDocument } from '../../http/reads/openapi.js';
import { BASE_PATH, placesOf, type AnswerForm, type JsonSchema, type Route } from '../../http/route.js';
import { STAGES } from '../../machines/stage.js';
import { markdownTable } from './markdown-table.js';

/** docs/api.md: every route, its body and its answer, from the table that serves and describes them. */
export function apiPage(routes: readonly Route[]): string {
  return `# HTTP API

Made from the routes in \`http/routes.ts\` by \`npm run docs\`; do not edit. For programs the same stands in
\`GET /openapi.json\` (OpenAPI 3.1).

The updater listens on 127.0.0.1:12315. Bodies are JSON in UTF-8, 64 KiB at most; unknown fields are ignored. An answer is
the envelope below; a refused order too travels as HTTP 200, with its outcome in \`code\`. Only what is no order or question
at all has another HTTP status: 401 (token missing or wrong), 403 (foreign Origin), 404 (no such route), 405 (wrong method),
413 (body too large), 415 (not JSON), 421 (wrong Host), 429 (too many streams), and 503 of \`/healthz\`. Orders marked with
_token_ need \`Authorization: Bearer TOKEN\` where the device has a \`TOPE_TOKEN_FILE\`. The codes in \`msg\`:
[errors.md](errors.md). A _stage_ is one of ${listed(Object.values(STAGES))}.

## The envelope

${fieldsTable(schemaAt(openApiDocument(routes), 'components', 'schemas', 'Envelope'))}

${routes
  .filter((route) => !isFile(route))
  .map(sectionOf)
  .join('\n\n')}

## Files of the pages

${listed(routes.filter(isFile).map(({ path }) => path))}.
`;
}

/** Words as code, so many to a line. */
function listed(words: readonly string[]): string {
  const code = words.map((word) => `\`${word}\``);
  return code
    .map((word, at) => `${word}${at === code.length - 1 ? '' : at % 5 === 4 ? ',\n' : ', '}`)
    .join('');
}

function isFile({ path }: Route): boolean {
  return path.startsWith('/pages/');
}

function sectionOf(route: Route): string {
  const { method, does, body, answers } = route;
  const [place = '', ...others] = placesOf(route);
  const also = others.length === 0 ? '' : ` Also at ${listed(others)}.`;
  const parts = [
    `## ${method} ${place}`,
    `${does}.${also}${method === 'POST' ? ' (_token_)' : ''}`,
    ...(body === undefined ? [] : [bodyOf(body)]),
    answerOf(answers),
    ...(place === `${BASE_PATH}/events` ? [EVENTS] : []),
  ];
  return parts.join('\n\n');
}

const EVENTS = `Each event is a \`transition\` or a \`progress\` with an id; its data is a transition as \`/state\` tells it, or
\`stage\`, \`progress\` and \`message\`. \`Last-Event-ID\` goes on behind that event, from the last 500. A comment every 15 s
keeps the line open. A client that does not read is dropped.`;

function bodyOf(body: JsonSchema): string {
  const table = fieldsTable(body);
  return table === '' ? 'Body: `{}`.' : `Body:\n\n${table}`;
}

function answerOf(answers: AnswerForm): string {
  if ('mediaType' in answers) return `Answers \`${answers.mediaType}\`.`;
  const isData = 'data' in answers;
  const table = fieldsTable(isData ? answers.data : answers.document);
  if (table === '') return 'Answers a JSON document of its own.';
  return `${isData ? 'The envelope’s `data`' : 'Answers, without an envelope'}:\n\n${table}`;
}

function fieldsTable(schema: JsonSchema): string {
  const rows = fieldsOf(schema, '');
  return rows.length === 0 ? '' : markdownTable([['field', 'type', 'meaning'], ...rows]);
}

/** A row for each field, those of objects and lists in it below it: `releases[].version`. */
function fieldsOf(schema: JsonSchema, prefix: string): string[][] {
  const required = new Set(listAt(schema, 'required'));
  return Object.keys(schemaAt(schema, 'properties')).flatMap((name) => {
    const field = schemaAt(schema, 'properties', name);
    const path = `${prefix}${name}`;
    const item = schemaAt(field, 'items');
    const inner =
      'properties' in item ? { schema: item, at: `${path}[].` } : { schema: field, at: `${path}.` };
    const meaning = [
      typeof field['description'] === 'string' ? field['description'] : '',
      required.has(name) || prefix !== '' ? '' : 'may be absent',
    ];
    return [
      [`\`${path}\``, typeOf(field), meaning.filter((words) => words !== '').join('; ')],
      ...fieldsOf(inner.schema, inner.at),
    ];
  });
}

const STAGE_NAMES = JSON.stringify(Object.values(STAGES));

function typeOf(field: JsonSchema): string {
  if (JSON.stringify(field['enum']) === STAGE_NAMES) return 'stage';
  if ('const' in field) return JSON.stringify(field['const']);
  if ('enum' in field)
    return listAt(field, 'enum')
      .map((one) => JSON.stringify(one))
      .join(', ');
  const type = Array.isArray(field['type']) ? listAt(field, 'type').join(' or ') : field['type'];
  const item = schemaAt(field, 'items')['type'];
  if (type === 'array' && typeof item === 'string') return `list of ${item}s`;
  return typeof type === 'string' ? type : 'any';
}

function schemaAt(schema: JsonSchema, ...path: readonly string[]): JsonSchema {
  let found: JsonSchema = schema;
  for (const name of path) {
    const inner = found[name];
    found = typeof inner === 'object' && inner !== null ? { ...inner } : {};
  }
  return found;
}

function listAt(schema: JsonSchema, name: string): unknown[] {
  const list = schema[name];
  return Array.isArray(list) ? list.map((one: unknown) => one) : [];
}
