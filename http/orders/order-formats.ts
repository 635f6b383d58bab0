/** The formats that the schemas of orders name, as ajv wants to have them. The compiled checks can import a default alone. */
const ORDER_FORMATS = { 'http-url': isWebAddress, 'file-name': isPathComponent };

export default ORDER_FORMATS;

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}

function isPathComponent(name: string): boolean {
  const bytes = Buffer.byteLength(name);
  return bytes >= 1 && bytes <= 255 && !/[/\0]/.test(name) && name !== '.' && name !== '..';
}
