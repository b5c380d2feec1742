/**
 * Whether a value fits a requirement in nova's language: `>= 5`, `== 1`, `s== x`, `<in> x`, `<all-in> a b`,
 * `<or> a <or> b`, or a plain text that must be equal.
 */
export function matchesSpec(value: string, requirement: string): boolean {
  const words = requirement.trim().split(/\s+/)
  const [first = '', ...rest] = words
  const operand = rest.join(' ')
  switch (first) {
    case '=':
    case '>=':
      return Number(value) >= Number(operand)
    case '<=':
      return Number(value) <= Number(operand)
    case '==':
      return Number(value) === Number(operand)
    case '!=':
      return Number(value) !== Number(operand)
    case '>':
      return Number(value) > Number(operand)
    case '<':
      return Number(value) < Number(operand)
    case 's==':
      return value === operand
    case 's!=':
      return value !== operand
    case 's<':
      return value < operand
    case 's<=':
      return value <= operand
    case 's>':
      return value > operand
    case 's>=':
      return value >= operand
    case '<in>':
      return value.includes(operand)
    case '<all-in>':
      return rest.every((word) => value.includes(word))
    case '<or>':
      return requirement
        .split('<or>')
        .map((word) => word.trim())
        .filter((word) => word !== '')
        .includes(value)
    default:
      return value === requirement
  }
}
