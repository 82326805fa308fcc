//! A call that says everything of its request in fields of its own, as it is put together for the
//! frame protocol and for gRPC.

use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use posthouse_pump::attempt::Attempt;
use posthouse_pump::request::Content;
use posthouse_wire::frame::Request as Call;

use super::Clock;
use super::call_target::Rules;
use super::escape::identity;
use super::signature;

impl Rules {
    /// Puts the call together, but for what depends on the very moment; and its headers, the row's
    /// and the target's, as they came.
    ///
    /// # Errors
    /// What is missing in the row or wrong with it.
    pub(crate) fn call(
        &self,
        attempt: &Attempt,
        content: &Content,
    ) -> Result<(Call, HeaderMap), String> {
        let values = self.assembly.values(attempt, content);
        let mut headers = self.assembly.headers(&values)?;
        let content_type = headers.remove(CONTENT_TYPE);
        let request = &attempt.request;
        let owned = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let named = |row: &Option<String>, target: &Option<String>| row.clone().or(target.clone());
        let call = Call {
            id: request.request_id.to_string(),
            code: request.code.to_string(),
            service: named(&content.service.as_deref().map(Into::into), &self.assembly.service),
            method: named(
                &content.method.as_deref().map(Into::into),
                &self.assembly.service_method,
            ),
            key: request.key.as_deref().map(Into::into),
            region: owned(&request.region),
            attempt: attempt.try_no.into(),
            not_after_ms: attempt.not_after_ms,
            fence: attempt.fence.0.try_into().unwrap_or_default(),
            sequence: request.id.0,
            after_gap: attempt.after_gap.as_deref().map(Into::into),
            traceparent: content.traceparent.as_deref().map(Into::into),
            content_type: content_type.map(|value| shown(value.as_bytes())),
            headers: pairs(&headers),
            body: self.assembly.body(&values)?,
            ..Call::default()
        };
        Ok((call, headers))
    }

    /// Adds what depends on the very moment.
    pub(crate) async fn sign(&self, call: &mut Call, clock: &dyn Clock) {
        let keys = self.keys.current(clock.mono_ms()).await;
        call.timestamp = u64::try_from(clock.wall_ms().div_euclid(1000)).unwrap_or(0);
        call.signature = (!keys.is_empty()).then(|| {
            let timestamp = call.timestamp.to_string();
            signature::list(&keys, &identity(&call.id), &timestamp, &call.body)
        });
    }
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), shown(value.as_bytes()))
    };
    headers.iter().map(pair).collect()
}

/// Values come from texts, and are texts.
fn shown(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}
