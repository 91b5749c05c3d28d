//! A question passed on to the process that can answer it.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};

use super::client::{self, Answer, Error};

/// Says that somebody has passed it on already: whoever cannot answer says so, and passes nothing on.
const HOP: HeaderName = HeaderName::from_static("x-tributary-hop");

pub(super) fn was_passed_on(headers: &HeaderMap) -> bool {
    headers.contains_key(HOP)
}

/// The same request with another body, and with the key of who asked.
pub(super) async fn post(
    addr: SocketAddr,
    path: &'static str,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Answer, Error> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = hyper::Uri::from_static(path);
    let host = HeaderValue::try_from(addr.to_string()).expect("an address is a header's letters");
    let own = [
        (header::HOST, host),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (HOP, HeaderValue::from_static("1")),
    ];
    request.headers_mut().extend(own);
    request.headers_mut().extend(headers.get(header::AUTHORIZATION).map(|key| (header::AUTHORIZATION, key.clone())));
    client::exchange(addr, request).await
}
