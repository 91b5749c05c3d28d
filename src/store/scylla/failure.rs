//! What goes wrong with a server, sorted by what to do about it.

use std::error::Error as StdError;

use scylla::errors::{
    ConnectionError, ConnectionPoolError, ConnectionSetupRequestErrorKind, DbError, ExecutionError, MetadataError,
    NewSessionError, PrepareError, RequestAttemptError,
};

use crate::store::Error;

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may pass: a node is away, or has too much to do.
    Again,
    /// The user or its grants do not suffice.
    Denied,
    /// The server understands it and says that it cannot be: a table that is not there, a wrong value.
    Invalid,
    Other,
}

/// Of a request.
pub(super) fn verdict(error: &ExecutionError) -> Verdict {
    if let ExecutionError::LastAttemptError(attempt) = error {
        return of_attempt(attempt);
    }
    if let ExecutionError::PrepareError(error) = error {
        return of_prepare(error);
    }
    if let ExecutionError::ConnectionPoolError(pool) = error {
        return of_pool(pool);
    }
    let passes = matches!(
        error,
        ExecutionError::EmptyPlan
            | ExecutionError::RequestTimeout(_)
            | ExecutionError::SchemaAgreementError(_)
            | ExecutionError::MetadataError(_)
    );
    if passes { Verdict::Again } else { Verdict::Other }
}

/// Of opening a session.
pub(super) fn of_session(error: &NewSessionError) -> Verdict {
    if let NewSessionError::MetadataError(MetadataError::ConnectionPoolError(pool)) = error {
        return of_pool(pool);
    }
    let passes = matches!(error, NewSessionError::MetadataError(_) | NewSessionError::FailedToResolveAnyHostname(_));
    if passes { Verdict::Again } else { Verdict::Other }
}

pub(super) fn of_prepare(error: &PrepareError) -> Verdict {
    if let PrepareError::AllAttemptsFailed { first_attempt } = error {
        return of_attempt(first_attempt);
    }
    if let PrepareError::ConnectionPoolError(pool) = error {
        return of_pool(pool);
    }
    Verdict::Other
}

fn of_pool(pool: &ConnectionPoolError) -> Verdict {
    if let ConnectionPoolError::Broken { last_connection_error: ConnectionError::ConnectionSetupRequestError(setup) } =
        pool
    {
        let is_denied = matches!(
            setup.get_error(),
            ConnectionSetupRequestErrorKind::DbError(DbError::AuthenticationError | DbError::Unauthorized, _)
                | ConnectionSetupRequestErrorKind::StartAuthSessionError(_)
                | ConnectionSetupRequestErrorKind::AuthChallengeEvaluationError(_)
                | ConnectionSetupRequestErrorKind::AuthFinishError(_)
                | ConnectionSetupRequestErrorKind::MissingAuthentication
        );
        if is_denied {
            return Verdict::Denied;
        }
    }
    Verdict::Again
}

fn of_attempt(error: &RequestAttemptError) -> Verdict {
    if let RequestAttemptError::DbError(error, _) = error {
        return of_server(error);
    }
    let passes =
        matches!(error, RequestAttemptError::BrokenConnectionError(_) | RequestAttemptError::UnableToAllocStreamId);
    if passes { Verdict::Again } else { Verdict::Other }
}

fn of_server(error: &DbError) -> Verdict {
    if matches!(error, DbError::Unauthorized | DbError::AuthenticationError) {
        return Verdict::Denied;
    }
    if matches!(error, DbError::Invalid) {
        return Verdict::Invalid;
    }
    let passes = matches!(
        error,
        DbError::Unavailable { .. }
            | DbError::Overloaded
            | DbError::IsBootstrapping
            | DbError::ReadTimeout { .. }
            | DbError::WriteTimeout { .. }
            | DbError::ReadFailure { .. }
            | DbError::WriteFailure { .. }
            | DbError::RateLimitReached { .. }
    );
    if passes { Verdict::Again } else { Verdict::Other }
}

/// In the words of the seam.
pub(super) fn explain(place: &str, verdict: Verdict, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    let (place, source) = (place.to_owned(), source.into());
    match verdict {
        Verdict::Again => Error::Unreachable { place, source },
        Verdict::Denied => Error::Denied { place, source },
        Verdict::Invalid | Verdict::Other => Error::Engine { place, source },
    }
}
