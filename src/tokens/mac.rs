//! HMAC-SHA-256 (RFC 2104), its key worked in once: a token costs two blocks of SHA-256.

use sha2::{Digest, Sha256};

/// Bytes that SHA-256 takes at a time.
const BLOCK: usize = 64;

/// A key, as the sums that begin with it.
#[derive(Clone)]
pub(super) struct Mac {
    inner: Sha256,
    outer: Sha256,
}

impl Mac {
    pub(super) fn new(key: &[u8]) -> Self {
        let short: [u8; 32] = Sha256::digest(key).into();
        let key = if key.len() > BLOCK { &short } else { key };
        let mut block = [0; BLOCK];
        for (to, byte) in block.iter_mut().zip(key) {
            *to = *byte;
        }
        let padded = |pad: u8| Sha256::new().chain_update(block.map(|byte| byte ^ pad));
        Self { inner: padded(0x36), outer: padded(0x5c) }
    }

    pub(super) fn of(&self, message: &[u8]) -> [u8; 32] {
        let inner = self.inner.clone().chain_update(message).finalize();
        self.outer.clone().chain_update(inner).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &[u8], message: &[u8], sum: &str) {
        assert_eq!(super::super::hex(&Mac::new(key).of(message)), sum);
    }

    #[test]
    fn the_vectors_of_rfc_4231() {
        let long = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        check(&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        check(
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        );
        check(&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
        check(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First", long);
    }
}
