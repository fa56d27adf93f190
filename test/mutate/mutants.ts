import { parse, type Node } from 'acorn';

/** One small change of a program that its tests should notice. */
export interface Mutant {
  /** Offsets in the text of what is replaced. */
  readonly start: number;
  readonly end: number;
  readonly becomes: string;
}

type Any = Node & { readonly [name: string]: unknown };
type Make = (start: number, end: number, becomes: string) => void;

const OTHER: Readonly<Record<string, string>> = {
  '===': '!==',
  '!==': '===',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '&&': '||',
  '||': '&&',
};
const CALLS: Readonly<Record<string, string>> = {
  some: 'every',
  every: 'some',
  min: 'max',
  max: 'min',
};

/**
 * Every mutant of a JavaScript module, in the order of the text: comparisons, && and ||,
 * conditions, numbers, true and false turned round; arrays emptied, filters, statements and
 * bodies taken away. No text for people is changed: which words are right, no test decides.
 */
export function mutantsOf(text: string): Mutant[] {
  const found = new Map<string, Mutant>();
  const make: Make = (start, end, becomes) => {
    const mutant = { start, end, becomes };
    if (text.slice(start, end) !== becomes) found.set(`${start} ${end} ${becomes}`, mutant);
  };
  visit(parse(text, { ecmaVersion: 2023, sourceType: 'module' }) as unknown as Any, text, make);
  return [...found.values()].sort((a, b) => a.start - b.start || a.end - b.end);
}

/** The module with the mutant in it. */
export const mutated = (text: string, { start, end, becomes }: Mutant): string =>
  text.slice(0, start) + becomes + text.slice(end);

function visit(node: Any, text: string, make: Make): void {
  change(node, text, make);
  for (const child of childrenOf(node)) visit(child, text, make);
}

function childrenOf(node: Any): Any[] {
  return Object.values(node)
    .flat()
    .filter(
      (value): value is Any => typeof value === 'object' && value !== null && 'type' in value,
    );
}

function change(node: Any, text: string, make: Make): void {
  const of = (name: string): Any => node[name] as Any;
  const { start, end, type } = node;
  const same = (part: Any): string => text.slice(part.start, part.end);
  if (type === 'BinaryExpression' || type === 'LogicalExpression') {
    const operator = String(node['operator']);
    const other = OTHER[operator];
    const at = text.indexOf(operator, of('left').end);
    if (operator === '??') make(start, end, `(${same(of('right'))})`);
    else if (other !== undefined && !(operator === '+' && isText(node)))
      make(at, at + operator.length, other);
  }
  if (type === 'AssignmentExpression') {
    const operator = String(node['operator']);
    const other = { '+=': '-=', '-=': '+=', '&&=': '||=', '||=': '&&=' }[operator];
    const at = text.indexOf(operator, of('left').end);
    if (other !== undefined) make(at, at + operator.length, other);
  }
  if (type === 'UnaryExpression' && node['operator'] === '!')
    make(start, end, same(of('argument')));
  if (/^(If|While|DoWhile)Statement$|^ConditionalExpression$/.test(type))
    negate(of('test'), text, make);
  if (type === 'Literal') literal(node, make);
  if (type === 'ArrayExpression' && (node['elements'] as unknown[]).length > 0)
    make(start, end, '[]');
  if (type === 'CallExpression') call(node, text, make);
  if (/^(Expression|Throw|Continue|Break)Statement$/.test(type) && !('directive' in node))
    make(start, end, ';');
  if (/Function(Expression|Declaration)$/.test(type)) {
    const body = of('body');
    if (body.type === 'BlockStatement' && (body['body'] as unknown[]).length > 1)
      make(body.start, body.end, '{}');
  }
}

/** A condition turned round, where no other mutant of it says the same. */
function negate(test: Any, text: string, make: Make): void {
  const operator = String(test['operator']);
  if (test.type === 'BinaryExpression' && (operator === '===' || operator === '!==')) return;
  if (test.type === 'UnaryExpression' && operator === '!') return;
  make(test.start, test.end, `!(${text.slice(test.start, test.end)})`);
}

function literal({ start, end, value }: Any, make: Make): void {
  if (typeof value === 'boolean') make(start, end, String(!value));
  if (typeof value === 'number') make(start, end, String(value === 0 ? 1 : value * 2));
}

function call(node: Any, text: string, make: Make): void {
  const callee = node['callee'] as Any;
  if (callee.type !== 'MemberExpression') return;
  const property = callee['property'] as Any;
  const name = text.slice(property.start, property.end);
  const other = CALLS[name];
  if (other !== undefined) make(property.start, property.end, other);
  if (name === 'filter' || name === 'sort') make((callee['object'] as Any).end, node.end, '');
}

/** Whether a sum is text put together. */
function isText(node: Any): boolean {
  if (node.type === 'TemplateLiteral' || typeof node['value'] === 'string') return true;
  if (node.type !== 'BinaryExpression') return false;
  return isText(node['left'] as Any) || isText(node['right'] as Any);
}
