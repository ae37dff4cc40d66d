// Tells the page to look again whenever the server says so. The page works without it.
document.addEventListener("DOMContentLoaded", () => {
  const rows = document.getElementById("rows");
  if (!rows) return;
  new EventSource("/live").addEventListener("look", () => {
    // Whoever is about to press a button in the table must not have it moved from under them.
    if (!rows.contains(document.activeElement)) htmx.trigger(rows, "look");
  });
});
