import ts from 'typescript';

/** A change that makes a source wrong on purpose. */
export interface Mutation {
  path: string;
  /** From 1. */
  line: number;
  kind: string;
  /** Where the text is replaced, in characters. */
  start: number;
  end: number;
  was: string;
  becomes: string;
}

type Change = Pick<Mutation, 'kind' | 'becomes'> & { node: ts.Node; until?: ts.Node };
type Operator = (node: ts.Node, text: (node: ts.Node) => string) => Change[];

const COMPARISONS = new Map([
  ['===', '!=='],
  ['!==', '==='],
  ['<', '<='],
  ['<=', '<'],
  ['>', '>='],
  ['>=', '>'],
  ['&&', '||'],
  ['||', '&&'],
]);

const OPERATORS: readonly Operator[] = [
  (node, text) => {
    if (!ts.isIfStatement(node) && !ts.isConditionalExpression(node)) return [];
    const condition = ts.isIfStatement(node) ? node.expression : node.condition;
    return [{ kind: 'condition inverted', node: condition, becomes: `!(${text(condition)})` }];
  },
  (node, text) => {
    if (!ts.isBinaryExpression(node)) return [];
    const becomes = COMPARISONS.get(text(node.operatorToken));
    return becomes === undefined ? [] : [{ kind: 'another operator', node: node.operatorToken, becomes }];
  },
  (node) => (isCall(node) ? [{ kind: 'call left out', node, becomes: ';' }] : []),
  (node, text) => {
    if (!ts.isBlock(node)) return [];
    return node.statements.flatMap((first, at) => {
      const second = node.statements[at + 1];
      if (second === undefined || !isCall(first) || !isCall(second)) return [];
      const becomes = `${text(second)} ${text(first)}`;
      return [{ kind: 'wrong order', node: first, until: second, becomes }];
    });
  },
  (node, text) => {
    if (!ts.isFunctionDeclaration(node) && !ts.isArrowFunction(node)) return [];
    if (node.type === undefined || text(node.type) !== 'boolean' || node.body === undefined) return [];
    const always = (value: boolean) =>
      ts.isArrowFunction(node) && !ts.isBlock(node.body) ? `${value}` : `{ return ${value}; }`;
    const { body } = node;
    return [true, false].map((value) => ({ kind: `always ${value}`, node: body, becomes: always(value) }));
  },
  (node) => {
    if (node.kind === ts.SyntaxKind.TrueKeyword) return [{ kind: 'boolean flipped', node, becomes: 'false' }];
    if (node.kind === ts.SyntaxKind.FalseKeyword) return [{ kind: 'boolean flipped', node, becomes: 'true' }];
    return [];
  },
  (node, text) => {
    if (!ts.isNumericLiteral(node)) return [];
    return [{ kind: 'number off by one', node, becomes: `${text(node)} + 1` }];
  },
  (node) => {
    if (!ts.isPropertyAssignment(node) || !ts.isIdentifier(node.name)) return [];
    const { text: name } = node.name;
    if (!['target', 'guard', 'actions', 'entry', 'exit', 'always', 'reenter'].includes(name)) return [];
    return [{ kind: `${name} left out`, node, becomes: '' }];
  },
];

/** A call that stands alone. What a log would have said is left alone: nothing is decided by it. */
function isCall(node: ts.Node): boolean {
  if (!ts.isExpressionStatement(node)) return false;
  const { expression } = node;
  const call = ts.isAwaitExpression(expression) ? expression.expression : expression;
  return ts.isCallExpression(call) && !/\blog\.(debug|info|warn|error)$/.test(call.expression.getText());
}

/** Every way in which a source can be made wrong, in the order of the text. */
export function mutationsIn(path: string, text: string): Mutation[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: Mutation[] = [];
  const textOf = (node: ts.Node) => node.getText(source);
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node)) return;
    for (const operator of OPERATORS)
      for (const { kind, node: first, until, becomes } of operator(node, textOf)) {
        const [start, end] = [first.getStart(source), (until ?? first).getEnd()];
        const line = source.getLineAndCharacterOfPosition(start).line + 1;
        const trailing = becomes === '' && text[end] === ',' ? 1 : 0;
        found.push({ path, line, kind, start, end: end + trailing, was: text.slice(start, end), becomes });
      }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The source with a mutation in it. */
export function mutated(text: string, { start, end, becomes }: Mutation): string {
  return text.slice(0, start) + becomes + text.slice(end);
}
