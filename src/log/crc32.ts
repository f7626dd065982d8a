/**
 * CRC-32 (IEEE 802.3, the one of zlib, gzip and PNG), eight bytes at a time. Written in JavaScript because
 * `zlib.crc32` needs Node 22 and loading `node:zlib` costs a hook more than checking its whole tail here.
 */

const SLICES = 8;
const TABLE = makeTable();

function makeTable(): Int32Array {
  const table = new Int32Array(256 * SLICES);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    table[byte] = crc;
  }
  for (let i = 256; i < table.length; i++) {
    const before = table[i - 256]!;
    table[i] = (before >>> 8) ^ table[before & 255]!;
  }
  return table;
}

/** The checksum of `bytes[start, end)`, as an unsigned number. `seed` continues an earlier checksum. */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length, seed = 0): number {
  const t = TABLE;
  let crc = ~seed;
  let i = start;
  for (; i + SLICES <= end; i += SLICES) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      t[1792 + (crc & 255)]! ^
      t[1536 + ((crc >>> 8) & 255)]! ^
      t[1280 + ((crc >>> 16) & 255)]! ^
      t[1024 + (crc >>> 24)]! ^
      t[768 + bytes[i + 4]!]! ^
      t[512 + bytes[i + 5]!]! ^
      t[256 + bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ bytes[i]!) & 255]!;
  return ~crc >>> 0;
}

/** A checksum as it is stored: 8 lower-case hexadecimal digits. */
export function hex8(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}
