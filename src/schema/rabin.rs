//! CRC-64-AVRO, the fingerprint of the Avro specification ("Schema Fingerprints").

const EMPTY: u64 = 0xc15d_213a_a4d7_a795;

/// The CRC-64-AVRO of these bytes; for a schema's fingerprint they are its canonical form.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(EMPTY, |crc, byte| step(crc ^ u64::from(*byte)))
}

/// Eight bits of the polynomial division.
fn step(crc: u64) -> u64 {
    (0..8).fold(crc, |crc, _| (crc >> 1) ^ (EMPTY & (crc & 1).wrapping_neg()))
}
