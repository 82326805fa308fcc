//! Login: a name and a password for a token.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Admin;
use super::access::Principal;
use super::extract::Given;
use super::problem::Problem;
use super::sessions::LIFE;
use crate::codes::Code;
use crate::data_dir::Users;
use crate::password;

/// Password hashes that are computed at the same time, at some 19 MiB each. Others are sent away,
/// so that logging in cannot be used to exhaust the node.
pub(super) const HASHES_MAX: usize = 2;

/// Bytes of a password.
const PASSWORD_BYTES_MAX: usize = 1_024;

/// Who wants to log in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The user's name.
    name: String,
    /// The user's password.
    password: String,
}

/// A login.
#[derive(Serialize, ToSchema)]
pub(crate) struct Login {
    /// What to send as `Authorization: Bearer TOKEN`.
    token: String,
    /// How long it holds, in seconds.
    expires_in_seconds: u64,
}

/// Exchange a name and a password for a token.
#[utoipa::path(
    post, path = "/api/v1/login", request_body = Credentials, tag = "login", security(()),
    responses(
        (status = 200, body = Login),
        (status = 401, body = Problem, description = "Wrong name or password"),
        (status = 429, body = Problem, description = "Too many logins at once"),
    )
)]
pub(crate) async fn login(
    State(admin): State<Arc<Admin>>,
    Given(credentials): Given<Credentials>,
) -> Result<Json<Login>, Problem> {
    let Ok(_permit) = admin.hashing.try_acquire() else {
        let detail = "too many logins at the same time; try again in a moment";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, Code::LoginsTooMany, detail));
    };
    let name: Box<str> = credentials.name.as_str().into();
    let shared = admin.clone();
    let checked = tokio::task::spawn_blocking(move || check(&shared, &credentials)).await;
    if !checked.unwrap_or(false) {
        tracing::warn!(user = %name.escape_debug(), "refused a login");
        let detail = "the name or the password is wrong";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, Code::LoginWrong, detail));
    }
    let token = admin.sessions.open(Principal::Administrator(name), Instant::now());
    Ok(Json(Login { token: token.as_str().to_owned(), expires_in_seconds: LIFE.as_secs() }))
}

/// The users are read anew, so that a password that was reset holds at once.
fn check(admin: &Admin, credentials: &Credentials) -> bool {
    let Ok(users) = Users::read(&admin.data_dir) else { return false };
    let fits = credentials.password.len() <= PASSWORD_BYTES_MAX;
    fits && password::verify(&credentials.password, users.password_hash(&credentials.name))
}
