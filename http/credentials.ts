const WEB_ADDRESS = /\b(https?:\/\/)(?:[^\s/?#@"'<>]*@)?([^\s?#"'<>]*)(?:[?#]\S*)?/gi;

/**
 * A text in which every web address is cut to origin and path: user, password, query and fragment may be credentials
 * (a pre-signed URL's query is one). Whatever leaves over HTTP goes through here (wire contract: who may call).
 */
export function withoutCredentials(text: string): string {
  return text.includes('://') ? text.replace(WEB_ADDRESS, '$1$2') : text;
}

/** The JSON of a value with every web address in its strings cut to origin and path. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'string' ? withoutCredentials(part) : part,
  );
}
