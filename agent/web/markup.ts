/** HTML that may go out as it is: made by `markup` alone. */
export class Markup {
  readonly text: string;
  private constructor(text: string) {
    this.text = text;
  }
  /** Everything between the words of the template is escaped, unless it is Markup itself. */
  static of(words: TemplateStringsArray, pieces: readonly Piece[]): Markup {
    const parts = words.map((word, at) => word + (at < pieces.length ? escaped(pieces[at]) : ''));
    return new Markup(parts.join(''));
  }
}

/** What may stand in a template: text and numbers are escaped, a list goes in piece by piece. */
export type Piece = Markup | string | number | readonly Piece[];

/** The one way to HTML: markup`<td>${name}</td>`. Attributes stand in double quotes. */
export const markup = (words: TemplateStringsArray, ...pieces: readonly Piece[]): Markup =>
  Markup.of(words, pieces);

export const NOTHING = markup``;

function escaped(piece: Piece | undefined): string {
  if (piece instanceof Markup) return piece.text;
  if (typeof piece === 'object') return piece.map(escaped).join('');
  return escape(String(piece ?? ''));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** As text and in an attribute; characters that nobody sees, or that turn the line around, are shown as one that is no character. */
const escape = (text: string): string =>
  text.replaceAll(UNSEEN, '\uFFFD').replaceAll(/[&<>"']/g, (one) => ENTITIES[one] ?? one);

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNSEEN = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028\u2029]|\p{Cf}|\p{Cs}/gu;
