const WEB_ADDRESS = /\b(https?:\/\/)(?:[^\s/?#@"'<>]*@)?([^\s?#"'<>]*)(?:[?#]\S*)?/gi;

/**
 * A text in which every web address is cut to origin and path: user, password, query and fragment may be credentials
 * (a pre-signed URL's query is one). Whatever leaves over HTTP goes through here (wire contract: who may call).
 */
export function withoutCredentials(text: string): string {
  if (!text.includes('://')) return text;
  return (isOddAddress(text) ? plainAddress(text) : text).replace(WEB_ADDRESS, '$1$2');
}

/** A URL as it is asked for on the wire (WHATWG URL): no blank or quote is left in it that would end it in a text. */
export function plainAddress(url: string): string {
  return new URL(url).href.replaceAll("'", '%27');
}

/** Words that are no JSON any more, without their addresses: one that begins may not end before its string does. */
export function withoutAddresses(text: string): string {
  return text.replace(/\b(https?:\/\/)(?:[^"\\\n]|\\.)*/gi, '$1');
}

/** An address with characters in it that end one in a text: only as a whole string it is known where it ends. */
function isOddAddress(text: string): boolean {
  return /^\s*https?:\/\/[^]*[\s"'<>]/i.test(text) && URL.canParse(text);
}

/** The JSON of a value with every web address in its strings cut to origin and path. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'string' ? withoutCredentials(part) : part,
  );
}
