//! The query options of the provisioning log, and the page they give.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::filter::Filter;
use crate::mock_entra::engine::Event;

/// Largest and usual page (the reporting endpoints' own).
const MAX_TOP: usize = 1_000;

/// A read query.
#[derive(Debug)]
pub(super) struct Query {
    filter: Option<Filter>,
    filter_text: Option<String>,
    order_text: Option<String>,
    oldest_first: bool,
    top: usize,
    /// The position at which the page before ended.
    after: Option<usize>,
}

impl Query {
    /// Reads a query string.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut query = Self {
            filter: None,
            filter_text: None,
            order_text: None,
            oldest_first: false,
            top: MAX_TOP,
            after: None,
        };
        let mut skiptoken = None;
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if seen.contains(&name) {
                return Err(format!("Query option '{name}' was specified more than once."));
            }
            match &*name {
                "$filter" => {
                    query.filter = Some(Filter::read(&value)?);
                    query.filter_text = Some(value.into_owned());
                }
                "$orderby" => {
                    query.oldest_first = oldest_first(&value)?;
                    query.order_text = Some(value.into_owned());
                }
                "$top" => query.top = top(&value)?,
                "$skiptoken" => skiptoken = Some(value.into_owned()),
                _ => return Err(format!("The query parameter '{name}' is not supported.")),
            }
            seen.push(name);
        }
        if let Some(token) = skiptoken {
            query.after = Some(query.position(&token).ok_or("The skip token is invalid.")?);
        }
        Ok(query)
    }

    /// The events of the page, and the position to go on from where there are more.
    pub(super) fn run(&self, log: &[Arc<Event>], now: i64) -> (Vec<Arc<Event>>, Option<usize>) {
        // Events stand in the order of their times, so most of a long log need not be looked at.
        let from = self.filter.as_ref().and_then(Filter::earliest).unwrap_or(i64::MIN);
        let first = log.partition_point(|event| event.activity_at() < from);
        let (first, end) = match (self.after, self.oldest_first) {
            (Some(after), true) => (first.max(after + 1), log.len()),
            (Some(after), false) => (first, after.min(log.len())),
            (None, _) => (first, log.len()),
        };
        let fits = |index: &usize| {
            log.get(*index).is_some_and(|event| {
                event.is_visible(now)
                    && self.filter.as_ref().is_none_or(|filter| filter.holds(event))
            })
        };
        let mut found: Vec<usize> = if self.oldest_first {
            (first..end).filter(fits).take(self.top + 1).collect()
        } else {
            (first..end).rev().filter(fits).take(self.top + 1).collect()
        };
        let more = found.len() > self.top;
        found.truncate(self.top);
        let next = found.last().copied().filter(|_| more);
        (found.into_iter().filter_map(|index| log.get(index).cloned()).collect(), next)
    }

    /// The query string of the page after.
    pub(super) fn continued(&self, after: usize) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        if let Some(filter) = &self.filter_text {
            text.append_pair("$filter", filter);
        }
        if let Some(order) = &self.order_text {
            text.append_pair("$orderby", order);
        }
        text.append_pair("$top", &self.top.to_string());
        text.append_pair("$skiptoken", &self.token(after));
        text.finish()
    }

    /// An opaque token that fits only this filter and order.
    fn token(&self, after: usize) -> String {
        let mut bytes = self.fingerprint().to_vec();
        bytes.extend((after as u64).to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn position(&self, token: &str) -> Option<usize> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let position = bytes.strip_prefix(&self.fingerprint())?;
        usize::try_from(u64::from_be_bytes(position.try_into().ok()?)).ok()
    }

    fn fingerprint(&self) -> [u8; 8] {
        let mut hasher = Sha256::new();
        hasher.update(self.filter_text.as_deref().unwrap_or_default());
        hasher.update([u8::from(self.oldest_first)]);
        let digest = hasher.finalize();
        let mut short = [0; 8];
        short.iter_mut().zip(digest).for_each(|(short, byte)| *short = byte);
        short
    }
}

fn oldest_first(text: &str) -> Result<bool, String> {
    let mut words = text.split_whitespace();
    let property = words.next().unwrap_or("");
    let direction = words.next().unwrap_or("asc");
    let known = property.eq_ignore_ascii_case("activityDateTime") && words.next().is_none();
    match direction {
        "asc" if known => Ok(true),
        "desc" if known => Ok(false),
        _ => Err(format!("The $orderby expression '{text}' is not supported.")),
    }
}

fn top(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(top) if (1..=MAX_TOP).contains(&top) => Ok(top),
        _ => Err(format!("Invalid value '{text}' for $top: it must be from 1 to {MAX_TOP}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_page_does_not_list_is_refused() {
        for text in [
            "$select=id",
            "$count=true",
            "x=1",
            "$top=0",
            "$top=1001",
            "$top=ten",
            "$orderby=id",
            "$orderby=activityDateTime%20up",
            "$orderby=activityDateTime%20desc%20x",
            "$top=1&$top=2",
            "$skiptoken=abc",
            "$filter=",
        ] {
            assert!(Query::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_newest_come_first_unless_asked_otherwise() {
        assert!(!Query::read("").unwrap().oldest_first);
        assert!(Query::read("$orderby=activitydatetime").unwrap().oldest_first);
        assert!(Query::read("$orderby=activityDateTime+asc&$top=5").unwrap().oldest_first);
        assert!(!Query::read("$orderby=activityDateTime%20desc").unwrap().oldest_first);
    }

    #[test]
    fn a_skip_token_fits_only_its_own_query() {
        let query = Query::read("$filter=jobid%20eq%20'a'&$top=7").unwrap();
        let next = query.continued(41);
        let again = Query::read(&next).unwrap();
        assert_eq!((again.after, again.top), (Some(41), 7));
        let other = next.replace("%27a%27", "%27b%27");
        assert_ne!(other, next);
        assert!(Query::read(&other).is_err());
    }
}
