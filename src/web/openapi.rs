//! The description of the API that machines read: data, served as it is.

/// OpenAPI 3.1; the tests hold it against the routes.
pub const OPENAPI: &str = include_str!("openapi.json");
