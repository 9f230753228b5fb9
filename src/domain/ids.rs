//! A newtype for every id, so that no signature takes two bare strings.

use std::fmt;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl Into<Box<str>>) -> Self {
                Self(text.into())
            }

            /// The text of the id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}

text_id! {
    /// A worker's `externalId` (RFC 7643 section 3.1): the source anchor, immutable, never reused.
    /// The one value of a person that may appear in logs.
    ExternalId
}
text_id! {
    /// A run's id: a ULID, so ids sort by the time they were made.
    RunId
}
text_id! {
    /// A webhook delivery's id, made on receipt: a ULID, so ids sort by the time they were made.
    DeliveryId
}
text_id! {
    /// The name of a source in the config (`[source.NAME]`).
    SourceName
}
text_id! {
    /// The name of a target in the config (`[target.NAME]`).
    TargetName
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id! {
    /// An operation's id, unique in a store; grows in the order of planning.
    OperationId
}
number_id! {
    /// A bulk request's id, unique in a store; grows in the order of sending.
    BulkRequestId
}
