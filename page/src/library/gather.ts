/** Files of what was dropped or chosen: folders are walked, what is surely no recording is left out. */

export interface Gathered {
  file: File;
  /** With the folders on the way to it, as it was dropped. */
  path: string;
}

export interface Gathering {
  files: Gathered[];
  /** How many files lay beside the recordings: covers, texts, lists. */
  leftOut: number;
  /** Files and folders that could not be read, with the reason. */
  unreadable: { path: string; reason: string }[];
}

// Only by name, and only inside folders: whatever is dropped by itself goes to the server, which looks into it.
const BESIDE_RECORDINGS =
  /^(\.|Thumbs\.db$|desktop\.ini$)|\.(jpe?g|png|gif|webp|bmp|tiff?|heic|pdf|txt|md|rtf|docx?|nfo|log|cue|m3u8?|pls|xspf|sfv|md5|ffp|json|xml|html?|url|lnk|zip|rar|7z|asd|pek|reapeaks|toml)$/i;

export function liesBesideRecordings(name: string): boolean {
  return BESIDE_RECORDINGS.test(name);
}

/** Of a drop. The entries have to be asked for before the event ends, so call it right in the handler. */
export async function gatherDropped(transfer: DataTransfer): Promise<Gathering> {
  const found: Gathering = { files: [], leftOut: 0, unreadable: [] };
  const entries: FileSystemEntry[] = [];
  for (const item of transfer.items) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry();
    const file = entry === null ? item.getAsFile() : null; // some programs drag files that lie in no folder
    if (entry !== null) entries.push(entry);
    else if (file !== null) found.files.push({ file, path: file.name });
  }
  for (const entry of entries) {
    if (entry.isDirectory) await walk(entry as FileSystemDirectoryEntry, entry.name, found);
    else await take(entry as FileSystemFileEntry, entry.name, found);
  }
  return found;
}

/** Of an input, of files or of a folder. */
export function gatherChosen(files: Iterable<File>): Gathering {
  const found: Gathering = { files: [], leftOut: 0, unreadable: [] };
  for (const file of files) {
    const inFolder = file.webkitRelativePath !== "";
    if (inFolder && liesBesideRecordings(file.name)) found.leftOut += 1;
    else found.files.push({ file, path: file.webkitRelativePath || file.name });
  }
  return found;
}

async function walk(folder: FileSystemDirectoryEntry, path: string, found: Gathering): Promise<void> {
  const reader = folder.createReader();
  for (;;) {
    let entries: FileSystemEntry[];
    try {
      // A hundred at a time, until there are none.
      entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    } catch (error) {
      found.unreadable.push({ path, reason: reasonOf(error) });
      return;
    }
    if (entries.length === 0) return;
    for (const entry of entries) {
      const inner = `${path}/${entry.name}`;
      if (entry.isDirectory) await walk(entry as FileSystemDirectoryEntry, inner, found);
      else if (liesBesideRecordings(entry.name)) found.leftOut += 1;
      else await take(entry as FileSystemFileEntry, inner, found);
    }
  }
}

async function take(entry: FileSystemFileEntry, path: string, found: Gathering): Promise<void> {
  try {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    found.files.push({ file, path });
  } catch (error) {
    found.unreadable.push({ path, reason: reasonOf(error) });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.message !== "" ? error.message : "it can't be read";
}
