/** Whether an http or https URL leads to this device itself: localhost, 127.0.0.0/8 or ::1 (RFC 6890). */
export function leadsToLoopback({ hostname }: URL): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}
