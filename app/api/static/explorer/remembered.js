// Settings that the browser stores for the next visit. Without storage the page works too.

/** The stored value of this name, or `usual`. */
export function recall(name, usual) {
  try {
    return localStorage.getItem(name) ?? usual;
  } catch {
    return usual; // not allowed by the user
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    /* kept for this visit only */
  }
}
