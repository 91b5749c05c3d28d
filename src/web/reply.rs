//! Answers: their bodies, and the headers that every one carries.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Frame, SizeHint};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::problem::Problem;

type Stream = Pin<Box<dyn hyper::body::Body<Data = Bytes, Error = Infallible> + Send>>;

/// Whole, or a stream that goes on.
pub(super) enum Body {
    Whole(Full<Bytes>),
    Stream(Stream),
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(cx),
            Self::Stream(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Stream(body) => body.size_hint(),
        }
    }
}

pub(super) type Reply = Response<Body>;

/// A 200 of JSON.
pub(super) fn json(value: &impl Serialize) -> Reply {
    // Our answers have string keys and no maps that could refuse to be written.
    whole(StatusCode::OK, "application/json", serde_json::to_vec(value).unwrap_or_default())
}

pub(super) fn whole(status: StatusCode, content_type: &'static str, bytes: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Body::Whole(Full::new(bytes.into())));
    *reply.status_mut() = status;
    set(reply.headers_mut(), header::CONTENT_TYPE, content_type);
    set(reply.headers_mut(), header::CACHE_CONTROL, "no-store");
    reply
}

pub(super) fn stream(content_type: &'static str, body: Stream) -> Reply {
    let mut reply = Response::new(Body::Stream(body));
    set(reply.headers_mut(), header::CONTENT_TYPE, content_type);
    set(reply.headers_mut(), header::CACHE_CONTROL, "no-store");
    reply
}

pub(super) fn problem(problem: &Problem) -> Reply {
    let mut reply = whole(problem.status(), "application/problem+json", problem.document());
    if let Some(seconds) = problem.retry_after {
        reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(allow) = problem.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
        reply.headers_mut().insert(header::ALLOW, allow);
    }
    reply.headers_mut().extend(problem.headers.iter().cloned());
    reply
}

/// What every answer says to a browser: no other origin, no guessing of types, no frames.
pub(super) fn harden(headers: &mut HeaderMap) {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                          connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    set(headers, header::CONTENT_SECURITY_POLICY, POLICY);
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, header::REFERRER_POLICY, "no-referrer");
    set(headers, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
}

pub(super) fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

/// What HEAD gets: the same head, the length included.
pub(super) fn without_body(reply: Reply) -> Reply {
    use hyper::body::Body as _;
    let (mut parts, body) = reply.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(parts, Body::Whole(Full::default()))
}

/// A body made piece by piece, each when the socket wants it: nothing runs for a reader that does not read.
pub(super) struct Unfold<T, F, U> {
    step: F,
    state: Option<T>,
    running: Option<Pin<Box<U>>>,
}

/// `step` gives the next piece and what to go on with; `None` ends the body.
pub(super) fn unfold<T, F, U>(state: T, step: F) -> Stream
where
    T: Send + Unpin + 'static,
    F: Fn(T) -> U + Send + Unpin + 'static,
    U: Future<Output = Option<(Bytes, T)>> + Send + 'static,
{
    Box::pin(Unfold { step, state: Some(state), running: None })
}

impl<T, F, U> hyper::body::Body for Unfold<T, F, U>
where
    T: Unpin,
    F: Fn(T) -> U + Unpin,
    U: Future<Output = Option<(Bytes, T)>>,
{
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if let Some(state) = this.state.take() {
            this.running = Some(Box::pin((this.step)(state)));
        }
        let Some(running) = this.running.as_mut() else { return Poll::Ready(None) };
        let Poll::Ready(made) = running.as_mut().poll(cx) else { return Poll::Pending };
        this.running = None;
        let Some((bytes, state)) = made else { return Poll::Ready(None) };
        this.state = Some(state);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}
