//! The setting `date_offset_s`: every answer's `Date` goes wrong by so much, and nothing else does.

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{DATE, HeaderValue};
use actix_web::{Error, web};

use super::clock::{SECOND, http_date};
use super::shared::Shared;

/// Handles a request, and puts its answer's `Date` off.
pub(super) fn offset<S, B>(
    request: ServiceRequest,
    service: &S,
) -> impl Future<Output = Result<ServiceResponse<B>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let shared = request.app_data::<web::Data<Shared>>().cloned();
    let answered = service.call(request);
    async move {
        let mut answer = answered.await?;
        let seconds = shared.as_ref().map_or(0, |shared| shared.world().settings.date_offset_s);
        if let (Some(shared), true) = (shared, seconds != 0) {
            let at = shared.clock.now().saturating_add(seconds.saturating_mul(SECOND));
            if let Ok(date) = HeaderValue::try_from(http_date(at)) {
                answer.headers_mut().insert(DATE, date);
            }
        }
        Ok(answer)
    }
}
