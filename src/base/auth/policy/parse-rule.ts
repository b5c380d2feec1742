/**
 * oslo.policy's language: `rule:admin_required or (role:member and project_id:%(project_id)s)`.
 * `not` binds tighter than `and`, `and` tighter than `or`; the empty rule and `@` allow, `!` refuses.
 */
import { Fault } from '../../errors.ts'

export type Rule =
  | { is: 'true' }
  | { is: 'false' }
  | { is: 'not'; of: Rule }
  | { is: 'and' | 'or'; of: Rule[] }
  /** `kind:match`, such as `role:admin`, `rule:owner`, `user_id:%(user_id)s`, `'free':%(state)s`. */
  | { is: 'check'; kind: string; match: string }

interface Token {
  text: string
  column: number
}

/** Reads one rule; a Fault names the column of what cannot be read. */
export function parseRule(text: string): Rule {
  const tokens = tokenize(text)
  if (tokens.length === 0) return { is: 'true' }
  const parser = new Parser(text, tokens)
  const rule = parser.or()
  parser.end()
  return rule
}

// A literal may hold spaces and parentheses, and so may `%(name)s`: both belong to the check around them.
const tokenForm = /\(|\)|(?:'[^']*'|"[^"]*"|%\([^)]*\)s|[^\s()'"])+/g

function tokenize(text: string): Token[] {
  return [...text.matchAll(tokenForm)].map((match) => ({ text: match[0], column: match.index + 1 }))
}

class Parser {
  readonly #text: string
  readonly #tokens: Token[]
  #at = 0

  constructor(text: string, tokens: Token[]) {
    this.#text = text
    this.#tokens = tokens
  }

  or(): Rule {
    return this.#chain('or', () => this.#chain('and', () => this.#not()))
  }

  end(): void {
    const rest = this.#tokens[this.#at]
    if (rest !== undefined) throw this.#error(`did not expect '${rest.text}'`, rest)
  }

  #chain(word: 'and' | 'or', next: () => Rule): Rule {
    const parts = [next()]
    while (this.#tokens[this.#at]?.text.toLowerCase() === word) {
      this.#at++
      parts.push(next())
    }
    return parts.length === 1 ? parts[0]! : { is: word, of: parts }
  }

  #not(): Rule {
    const token = this.#tokens[this.#at++]
    if (token === undefined) throw this.#error('ends where a check is expected', undefined)
    const word = token.text.toLowerCase()
    if (word === 'not') return { is: 'not', of: this.#not() }
    if (word === '(') return this.#parenthesis(token)
    if (word === '@') return { is: 'true' }
    if (word === '!') return { is: 'false' }
    const colon = endOfKind(token.text)
    if (colon <= 0) throw this.#error(`'${token.text}' is no check of the form kind:match`, token)
    return { is: 'check', kind: token.text.slice(0, colon), match: token.text.slice(colon + 1) }
  }

  #parenthesis(open: Token): Rule {
    const inner = this.or()
    const close = this.#tokens[this.#at++]
    if (close?.text !== ')') throw this.#error('has a parenthesis that is never closed', open)
    return inner
  }

  #error(what: string, token: Token | undefined): Fault {
    const column = token?.column ?? this.#text.length + 1
    return new Fault('invalid', `The rule "${this.#text}" ${what} (column ${column}).`, { column })
  }
}

function endOfKind(text: string): number {
  const quote = text[0]
  if (quote !== "'" && quote !== '"') return text.indexOf(':')
  return text.indexOf(':', text.indexOf(quote, 1))
}
