//! The log in one redb file.
