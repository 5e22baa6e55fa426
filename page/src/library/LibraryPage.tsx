/** The library: files dropped, jobs watched, tracks found. */
export function LibraryPage() {
  return <h1>Library</h1>;
}
