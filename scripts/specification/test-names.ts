import ts from 'typescript';

/** A test, or a group of tests, of which the name is known. */
export interface NamedTest {
  /** Path below `__tests__/`, without `.test.ts`. */
  file: string;
  /** As it stands in the source: `%s` and `${…}` where rows of a table make many tests of it. */
  name: string;
  /** The rules at the end of its name, in brackets. */
  rules: string[];
}

/** Calls that make a test or a group of them, and which of their arguments is its name. */
const NAME_ARGUMENT: Readonly<Record<string, number>> = { test: 0, describe: 0, testIf: 1, describeIf: 1 };

const RULES = / \[([A-Z]-\d+(?:, [A-Z]-\d+)*)\]$/;

/** The names of all tests and groups in a source file. */
export function testsIn(file: string, source: string): NamedTest[] {
  const tests: NamedTest[] = [];
  const visit = (node: ts.Node): void => {
    const name = ts.isCallExpression(node) ? nameGivenBy(node) : null;
    if (name !== null) tests.push({ file, ...withoutRules(name) });
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(`${file}.ts`, source, ts.ScriptTarget.Latest, true));
  return tests;
}

function nameGivenBy(call: ts.CallExpression): string | null {
  const at = NAME_ARGUMENT[calleeOf(call)];
  const argument = at === undefined ? undefined : call.arguments[at];
  if (argument === undefined) return null;
  if (ts.isStringLiteralLike(argument)) return argument.text;
  return ts.isTemplateExpression(argument) ? argument.getText().slice(1, -1) : null;
}

/** What is called in the end: `test` in test(…), test.each(rows)(…) and test.skip(…). */
function calleeOf({ expression }: ts.CallExpression): string {
  let callee: ts.Node = expression;
  while (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) callee = callee.expression;
  return ts.isIdentifier(callee) ? callee.text : '';
}

function withoutRules(name: string): Pick<NamedTest, 'name' | 'rules'> {
  return { name: name.replace(RULES, ''), rules: RULES.exec(name)?.[1]?.split(', ') ?? [] };
}
