// Settings that the browser stores for the next visit. Without storage the page works too.

/** The stored value of this name, or `usual`. */
export function recall(name, usual) {
  try {
    return localStorage.getItem(name) ?? usual;
  } catch {
    return usual; // the visitor does not allow it
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    /* then it is for this visit only */
  }
}
