// Before the first paint, so that a theme that was chosen does not come after the system's.
(() => {
  try {
    const theme = JSON.parse(localStorage.getItem("resonate.theme"));
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Nothing is remembered here, or it can't be read: the system's theme stays.
  }
})();
