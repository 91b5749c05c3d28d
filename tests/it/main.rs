//! The specification of Tributary, as one test binary.
