//! The handlers of the API: each asks who calls, calls the bridge, and answers its document.

pub(super) mod decisions;
pub(super) mod files;
pub(super) mod hooks;
pub(super) mod records;
pub(super) mod runs;

use actix_web::{FromRequest as _, HttpRequest, web};
use futures_util::FutureExt as _;
use serde::de::DeserializeOwned;

use crate::bridge::Bridge;
use crate::domain::RunId;
use crate::server::problem::{Kind, Problem};
use crate::server::shared::Shared;
use crate::store::Run;

/// Most bytes of an id in a path.
const MAX_ID_BYTES: usize = 1_024;

/// A part of the path, decoded.
fn part(request: &HttpRequest) -> Result<String, Problem> {
    let nothing = || Problem::new(Kind::NotFound).detail("there is nothing of that name");
    let part = web::Path::<String>::extract(request);
    let part = part.now_or_never().and_then(Result::ok).map(web::Path::into_inner);
    let part = part.ok_or_else(nothing)?;
    if part.len() > MAX_ID_BYTES { Err(nothing()) } else { Ok(part) }
}

/// The query, whose every parameter must be known.
fn query<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Problem> {
    web::Query::from_query(request.query_string()).map(web::Query::into_inner).map_err(|_| {
        Problem::new(Kind::BadRequest)
            .detail("a parameter of the query is unknown, there twice, or has a wrong value")
            .hint("`/openapi.json` lists them")
    })
}

/// How many entries a page has.
fn page_size(asked: Option<usize>, default: usize, most: usize) -> Result<usize, Problem> {
    let size = asked.unwrap_or(default);
    if (1..=most).contains(&size) {
        Ok(size)
    } else {
        Err(Problem::new(Kind::BadRequest).detail(format!("`limit` is from 1 to {most}")))
    }
}

/// A run by its whole id.
async fn run(shared: &Shared, bridge: &Bridge, id: &str) -> Result<Run, Problem> {
    let run = shared.look(bridge.store.run(&RunId::new(id))).await?;
    run.ok_or_else(|| {
        Problem::new(Kind::NotFound)
            .detail("there is no such run")
            .hint("`/api/v1/runs` lists them")
    })
}
