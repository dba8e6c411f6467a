// How Python is started: the files that it needs, and the program that imports matcalc. The worker and Node use it.

/** Put the libraries and matcalc into Python's file system. */
export function place(files, libraries, pack) {
  const tableSize = new DataView(pack.buffer, pack.byteOffset).getUint32(0, true);
  const table = JSON.parse(new TextDecoder().decode(pack.subarray(4, 4 + tableSize)));
  const made = new Set();
  let start = 4 + tableSize;
  for (const [name, size] of table) {
    const path = `/lib/matcalc/${name}`;
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (!made.has(folder)) files.mkdirTree(folder);
    made.add(folder);
    files.writeFile(path, pack.subarray(start, start + size), { canOwn: true });
    start += size;
  }
  files.writeFile("/lib/libraries.zip", libraries);
}

export const START = `
import gc, sys
gc.disable()
sys.path += ["/lib/matcalc", "/lib/libraries.zip"]
from matcalc.serve import absent
absent.stand_in()
from matcalc.serve.browser import answer, started, warm
started()`;
