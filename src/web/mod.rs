//! The HTTP client for everybody but Microsoft Graph: HR systems that are asked for a worker or a
//! report, and those who are told when something is wrong.
//!
//! | file | what it answers for |
//! | --- | --- |
//! | `client` | the one place where these clients are made: https, proxy, authorities, time-outs, redirects |
//! | `hydrate` | asking an HR system for one worker, or for everybody |
//! | `address` | where one worker is asked for: an id never changes host or path |
//! | `auth` | how a request proves who we are |
//! | `failure` | why nothing was had, whether it is worth trying later, and what to do |
//! | `pace` | so many requests in a second and no more |
//! | `post` | a document to an address that is a secret, such as a webhook of Teams |
//! | `mail` | a mail through a mail server |
//!
//! Graph and its authority are `entra`'s alone, with rules of their own; how HTTP is spoken, to whomever,
//! is [`transport`](crate::transport). Nothing in this room logs an address, a body or a
//! secret, and no error holds one: an address may name a person, or be the secret itself.

mod address;
mod auth;
mod client;
mod failure;
mod hydrate;
mod mail;
mod pace;
mod post;

pub use client::{WebError, check_address, client, is_loopback};
pub use failure::{HydrateFailure, HydrateTrouble, RedirectTrouble};
pub use hydrate::{Hydrator, Patience};
pub use mail::{MailError, send_mail};
pub use post::{PostError, post};
