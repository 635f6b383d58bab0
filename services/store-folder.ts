/** The name of the store's folder, right below a managed root. */
export const STORE_FOLDER = '.tope-updater';
