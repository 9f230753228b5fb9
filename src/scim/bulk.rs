//! Bulk requests (RFC 7644 section 3.7) of user operations, as bytes in one reusable buffer.
//!
//! Every operation is a `POST` to `/Users`; `bulkId` is the user's `externalId` and `failOnErrors`
//! is null, as in the examples of Microsoft's "synchronizationJob: bulkUpload". How many operations
//! a request takes is the receiver's business, so it is handed in.

use crate::scim::push_string;

const HEAD: &[u8] =
    br#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":["#;
const BEFORE_ID: &[u8] = br#"{"method":"POST","bulkId":"#;
const BEFORE_DATA: &[u8] = br#","path":"/Users","data":"#;
const TAIL: &[u8] = br#"],"failOnErrors":null}"#;

/// The bulk request has all the operations it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a bulk request takes at most {maximum} operations")]
pub struct BulkFull {
    /// Most operations.
    pub maximum: usize,
}

/// Writes one bulk request after the other.
///
/// ```
/// # use scimport::scim::BulkWriter;
/// let mut writer = BulkWriter::new(50);
/// writer.push("E1", br#"{"externalId":"E1"}"#)?;
/// assert_eq!(writer.operations(), 1);
/// assert!(writer.finish().starts_with(br#"{"schemas":"#));
/// writer.begin();
/// assert!(writer.is_empty());
/// # Ok::<(), scimport::scim::BulkFull>(())
/// ```
pub struct BulkWriter {
    body: Vec<u8>,
    operations: usize,
    maximum: usize,
    finished: bool,
}

impl BulkWriter {
    /// An empty bulk request that takes at most so many operations.
    #[must_use]
    pub fn new(maximum: usize) -> Self {
        Self { body: HEAD.to_vec(), operations: 0, maximum, finished: false }
    }

    /// Starts the next bulk request in the same buffer.
    pub fn begin(&mut self) {
        self.body.clear();
        self.body.extend_from_slice(HEAD);
        self.operations = 0;
        self.finished = false;
    }

    /// Appends an operation: the user's id, and the bytes of the resource as they are. After
    /// [`finish`](Self::finish) it starts the next bulk request.
    ///
    /// # Errors
    /// When the request has its most operations already; nothing is appended.
    pub fn push(&mut self, external_id: &str, resource: &[u8]) -> Result<(), BulkFull> {
        if self.finished {
            self.begin();
        }
        if self.is_full() {
            return Err(BulkFull { maximum: self.maximum });
        }
        if self.operations > 0 {
            self.body.push(b',');
        }
        self.body.extend_from_slice(BEFORE_ID);
        push_string(&mut self.body, external_id);
        self.body.extend_from_slice(BEFORE_DATA);
        self.body.extend_from_slice(resource);
        self.body.push(b'}');
        self.operations += 1;
        Ok(())
    }

    /// Closes the bulk request and shows its bytes; closing twice changes nothing.
    pub fn finish(&mut self) -> &[u8] {
        if !self.finished {
            self.body.extend_from_slice(TAIL);
            self.finished = true;
        }
        &self.body
    }

    /// Closes the bulk request, hands its bytes over and starts the next one.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        self.finish();
        let body = std::mem::take(&mut self.body);
        self.begin();
        body
    }

    /// The number of operations in it.
    #[must_use]
    pub const fn operations(&self) -> usize {
        self.operations
    }

    /// Whether it has no operation yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.operations == 0
    }

    /// Whether it has its most operations.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.operations >= self.maximum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_stand_in_the_order_they_came_with_the_id_as_bulk_id() {
        let mut writer = BulkWriter::new(2);
        writer.push("a\"1", br#"{"externalId":"a\"1"}"#).expect("room");
        writer.push("b", br#"{"externalId":"b"}"#).expect("room");
        assert_eq!(writer.push("c", b"{}"), Err(BulkFull { maximum: 2 }));
        let json: serde_json::Value = serde_json::from_slice(writer.finish()).expect("JSON");
        assert_eq!(
            json,
            serde_json::json!({
                "schemas": [crate::scim::urns::BULK_REQUEST],
                "Operations": [
                    {"method": "POST", "bulkId": "a\"1", "path": "/Users", "data": {"externalId": "a\"1"}},
                    {"method": "POST", "bulkId": "b", "path": "/Users", "data": {"externalId": "b"}},
                ],
                "failOnErrors": null,
            })
        );
    }

    #[test]
    fn a_finished_writer_starts_afresh() {
        let mut writer = BulkWriter::new(1);
        writer.push("a", b"{}").expect("room");
        let first = writer.finish().to_vec();
        assert_eq!(writer.finish(), first, "closing twice changes nothing");
        writer.push("a", b"{}").expect("room in the next one");
        assert_eq!(writer.take(), first);
        assert!(writer.is_empty());
    }
}
