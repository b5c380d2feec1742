/** Writes XML: elements with their attributes and children, everything escaped. */

type Attributes = Readonly<Record<string, string | number>>

/** An element that is already text, told apart from text that must be escaped. */
export interface Xml {
  xml: string
}

export type Child = Xml | string | number | undefined

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** Control characters have no form in XML 1.0 and would make libvirt refuse the whole document. */
const escaped = (text: string) =>
  [...text]
    .filter((character) => character >= ' ' || character === '\n' || character === '\t')
    .join('')
    .replace(/[&<>"']/g, (character) => entities[character]!)

/** `element('mac', { address })`; children that are undefined are left out. */
export function element(name: string, attributes: Attributes = {}, ...children: readonly Child[]): Xml {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`)
  const inside = children
    .filter((child) => child !== undefined)
    .map((child) => (typeof child === 'object' ? child.xml : escaped(String(child))))
    .join('')
  const open = `<${name}${written.join('')}`
  return { xml: inside === '' ? `${open}/>` : `${open}>${inside}</${name}>` }
}
