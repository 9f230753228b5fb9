//! `key`: the keys that HR systems and other programs use to call us.

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::bridge::CreatedKey;
use crate::cli::args::{
    KeyArgs, KeyCommand, KeyCreateArgs, KeyListArgs, KeyRevokeArgs, KeyRotateArgs,
};
use crate::cli::context::{Context, Failed, failed};
use crate::cli::exit::Exit;
use crate::cli::terminal::{remark, say, tell};
use crate::cli::{json, words};
use crate::domain::{KeyRole, KeyScope, SourceName};
use crate::store::KeyRevoked;

/// Does what is asked about keys.
pub async fn run(context: &Context, args: KeyArgs) -> Result<Exit, Failed> {
    match args.command {
        KeyCommand::Create(args) => create(context, &args).await,
        KeyCommand::List(args) => list(context, &args).await,
        KeyCommand::Rotate(args) => rotate(context, &args).await,
        KeyCommand::Revoke(args) => revoke(context, &args).await,
    }
}

async fn create(context: &Context, args: &KeyCreateArgs) -> Result<Exit, Failed> {
    let role = args.scope.unwrap_or(KeyRole::Webhook);
    let Some(scope) = KeyScope::new(role, args.source.as_deref().map(SourceName::new)) else {
        tell(format!(
            "error: a key with the scope `{role}` is for no source in particular\n\
             hint: leave out --source, or make a key for the source's webhook with --source alone"
        ));
        return Ok(Exit::Usage);
    };
    let bridge = context.committing().await?;
    let created = bridge.create_key(scope, args.expires, &context.who()).await.map_err(failed)?;
    remark(format!(
        "made key {} for {}, valid until {}\n{SHOWN_ONCE}",
        created.stored.id,
        purpose(&created.stored.scope),
        words::instant(created.stored.expires_at)
    ));
    show(&created, bridge.clock.now(), args.json, Vec::new());
    Ok(Exit::Success)
}

async fn list(context: &Context, args: &KeyListArgs) -> Result<Exit, Failed> {
    let bridge = context.bridge_read_only()?;
    let now = bridge.clock.now();
    let keys = bridge.keys().await.map_err(failed)?;
    if args.json {
        say(Value::Array(keys.iter().map(|key| json::key(key, now)).collect()).to_string());
        return Ok(Exit::Success);
    }
    if keys.is_empty() {
        remark("there are no keys yet; `scimport key create --source S --expires 90d` makes one");
    }
    for key in &keys {
        say(words::key(key, now));
    }
    Ok(Exit::Success)
}

async fn rotate(context: &Context, args: &KeyRotateArgs) -> Result<Exit, Failed> {
    let bridge = context.committing().await?;
    let by = context.who();
    let (created, old) =
        bridge.rotate_key(&args.id, args.overlap, args.expires, &by).await.map_err(failed)?;
    remark(format!(
        "made key {} for {}, valid until {}; key {} ends at {}\n{SHOWN_ONCE}",
        created.stored.id,
        purpose(&created.stored.scope),
        words::instant(created.stored.expires_at),
        old.id,
        words::instant(old.expires_at)
    ));
    let now = bridge.clock.now();
    show(&created, now, args.json, vec![("replaces", json::key(&old, now))]);
    Ok(Exit::Success)
}

async fn revoke(context: &Context, args: &KeyRevokeArgs) -> Result<Exit, Failed> {
    let bridge = context.committing().await?;
    let revoked = bridge.revoke_key(&args.id, &context.who()).await.map_err(failed)?;
    let (key, said) = match revoked {
        KeyRevoked::Done(key) => (key, "is revoked: from now on nobody gets in with it"),
        KeyRevoked::Before(key) => (key, "was revoked before"),
    };
    remark(format!("key {} {said}", key.id));
    let now = bridge.clock.now();
    say(if args.json { json::key(&key, now).to_string() } else { words::key(&key, now) });
    Ok(Exit::Success)
}

/// The one time a key is shown: alone on standard output, so that it can be piped to where it is to
/// be kept.
fn show(created: &CreatedKey, now: Timestamp, as_json: bool, more: Vec<(&str, Value)>) {
    let key = created.key.expose_secret();
    if !as_json {
        say(key);
        return;
    }
    let mut document = json::key(&created.stored, now);
    if let Some(members) = document.as_object_mut() {
        members.insert("key".to_owned(), Value::from(key));
        members.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    say(document.to_string());
}

const SHOWN_ONCE: &str = "the key is shown this once and kept nowhere: store it where the caller \
                          reads it; it goes into the header `Authorization: Bearer KEY`";

fn purpose(scope: &KeyScope) -> String {
    match scope {
        KeyScope::Webhook(source) => format!("the webhook of source `{source}`"),
        KeyScope::Reader => "reading".to_owned(),
        KeyScope::Admin => "reading, deciding and uploading".to_owned(),
    }
}

/// A length of time with days, such as `90d` or `24h`.
pub fn lifetime(text: &str) -> Result<SignedDuration, String> {
    let length = crate::config::parse_duration(text);
    length
        .and_then(|length| SignedDuration::try_from(length).ok())
        .ok_or_else(|| "expected a length of time such as `90d` or `24h`".to_owned())
}

/// The same, for what cannot be nothing.
pub fn some_lifetime(text: &str) -> Result<SignedDuration, String> {
    lifetime(text).and_then(|length| {
        if length.is_zero() {
            Err("a key has to be valid for some time".to_owned())
        } else {
            Ok(length)
        }
    })
}
