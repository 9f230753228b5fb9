//! The pages of the provisioning log.
//!
//! Follows the Microsoft Graph pages "List provisioningObjectSummary" and "Paging Microsoft Graph
//! data in your app". Filtered by job and time alone, or by job and person: the names of the other
//! filters differ between v1.0 and beta. A next page is followed only on Graph's own origin.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use crate::entra::{Call, CallFailure, EntraClient, LogEvent};

/// Events asked for in one page (the reference's own example; the service's ceiling is 1,000).
const PAGE_SIZE: u32 = 500;

/// Most pages that are followed: a million events. More is a chain of pages that does not end.
const MAX_PAGES: u32 = 2_000;

/// Most bytes of a page. 500 events of the real log have about 3 MB.
const MAX_PAGE_BYTES: usize = 32 * 1024 * 1024;

/// Pages of the provisioning log, oldest event first.
///
/// After an error the same page may be asked for again. Each page is a read in the sense of
/// [`LOG_READS`](crate::entra::LOG_READS); whoever reads keeps the pace.
pub struct EventPages {
    client: EntraClient,
    next: Option<Url>,
    pages: u32,
    malformed: u64,
}

impl EventPages {
    pub(super) fn new(client: EntraClient, first: Option<Url>) -> Self {
        Self { client, next: first, pages: 0, malformed: 0 }
    }

    /// The next page; `None` after the last one, and at once in a cloud without a log.
    ///
    /// # Errors
    ///
    /// When Graph cannot be asked, answers with an error or something unreadable, names a page
    /// at another host, or does not come to an end.
    pub async fn next(&mut self) -> Result<Option<Vec<LogEvent>>, CallFailure> {
        let Some(url) = &self.next else { return Ok(None) };
        if self.pages >= MAX_PAGES {
            self.next = None;
            return Err(CallFailure::too_many_pages());
        }
        let page = self.client.get(Call::Log, url, MAX_PAGE_BYTES).await?;
        let events = page.get("value").and_then(Value::as_array);
        let events = events.ok_or_else(|| CallFailure::unreadable(Call::Log, 200))?;
        let next = match page.get("@odata.nextLink").and_then(Value::as_str) {
            Some(link) => Some(self.client.own_page(url, link)?),
            None => None,
        };
        let read: Vec<_> = events.iter().filter_map(LogEvent::read).collect();
        let malformed = events.len().saturating_sub(read.len());
        if malformed > 0 {
            self.malformed = self.malformed.saturating_add(malformed as u64);
            tracing::warn!(
                target.name = %self.client.settings().name,
                events = malformed,
                "events of the provisioning log have no id or time and were passed over"
            );
        }
        self.pages += 1;
        self.next = next;
        Ok(Some(read))
    }

    /// How many events had no id or time and were passed over.
    #[must_use]
    pub fn malformed(&self) -> u64 {
        self.malformed
    }
}

/// The query for a job's events since an instant, as the text of a URL's query.
pub(super) fn query(job_id: &str, since: Timestamp) -> String {
    // Whole seconds, cut off: the log's own times have no more, and nothing may be missed.
    let since = since.strftime("%Y-%m-%dT%H:%M:%SZ");
    format!(
        "$filter=jobid eq '{job_id}' and activityDateTime ge {since}\
         &$orderby=activityDateTime&$top={PAGE_SIZE}"
    )
}

/// The query for everything the log has of one person, as the text of a URL's query.
pub(super) fn query_of(job_id: &str, person: &str) -> String {
    format!(
        "$filter=jobid eq '{job_id}' and sourceIdentity/id eq '{}'\
         &$orderby=activityDateTime&$top={PAGE_SIZE}",
        literal(person)
    )
}

/// The inside of a string of `OData`, fit for a URL's query: a quote is doubled, and whatever has a
/// meaning in a query is percent-encoded.
fn literal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.replace('\'', "''").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            safe.push(char::from(byte));
        } else {
            // never fails: it writes into memory
            let _ = write!(safe, "%{byte:02X}");
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_stands_in_an_id_stays_inside_the_quotes() {
        for id in ["E1001", "O'Neill", "a&$top=1#x", "50% +2", "x' or jobid ne '", "Zoë\\"] {
            let mut url = Url::parse("https://graph.microsoft.com/v1.0/x").unwrap();
            url.set_query(Some(&query_of("API2AAD.1.2", id)));
            let options: Vec<_> = url.query_pairs().collect();
            assert_eq!(options.len(), 3, "{url}");
            let quoted = id.replace('\'', "''");
            let filter = format!("jobid eq 'API2AAD.1.2' and sourceIdentity/id eq '{quoted}'");
            assert_eq!(options[0], ("$filter".into(), filter.into()));
        }
    }

    #[test]
    fn the_query_is_by_job_and_whole_second() {
        let since = "2026-09-01T10:00:00.987Z".parse().unwrap();
        let mut url =
            Url::parse("https://graph.microsoft.com/v1.0/auditLogs/provisioning").unwrap();
        url.set_query(Some(&query("API2AAD.1.2", since)));
        assert_eq!(
            url.query(),
            Some(
                "$filter=jobid%20eq%20%27API2AAD.1.2%27%20and%20activityDateTime%20ge%20\
                 2026-09-01T10:00:00Z&$orderby=activityDateTime&$top=500"
            )
        );
    }
}
