//! `credential = "federated_token"`: what Azure's workload identity has put into the environment.
//!
//! The webhook of Kubernetes tells a pod by `AZURE_FEDERATED_TOKEN_FILE`, `AZURE_TENANT_ID`,
//! `AZURE_CLIENT_ID` and `AZURE_AUTHORITY_HOST` who it is. They are laid under the file: a key that
//! stands there is the stronger one. Whether the authority may be asked is for `entra` to say, as with
//! any other.

use std::sync::Arc;

use crate::config::node::{Node, Origin, Table, Value};

/// Where the token is unless the environment says otherwise.
const TOKEN_FILE: &str = "/var/run/secrets/azure/tokens/azure-identity-token";
/// Keys of a target, and the variables that set them where they are absent.
const KEYS: [(&str, &str); 3] = [
    ("tenant_id", "AZURE_TENANT_ID"),
    ("client_id", "AZURE_CLIENT_ID"),
    ("authority_url", "AZURE_AUTHORITY_HOST"),
];

/// Completes every target that asks for it.
pub(super) fn complete(root: &mut Table, env: &[(String, String)]) {
    let Some(Value::Table(targets)) = root.get_mut("target").map(|node| &mut node.value) else {
        return;
    };
    for (_, target) in &mut targets.0 {
        if let Value::Table(target) = &mut target.value {
            complete_target(target, env);
        }
    }
}

fn complete_target(target: &mut Table, env: &[(String, String)]) {
    let Some(credential) = target.get_mut("credential") else { return };
    if !matches!(&credential.value, Value::Text(word) if word == "federated_token") {
        return;
    }
    let variable = |name: &str| {
        let value = env.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
        value.filter(|value| !value.is_empty()).map(|value| of_variable(name, value))
    };
    let file = variable("AZURE_FEDERATED_TOKEN_FILE")
        .unwrap_or_else(|| of_variable("AZURE_FEDERATED_TOKEN_FILE", TOKEN_FILE));
    let origin = credential.origin.clone();
    let inner = table("file", file, origin.clone());
    *credential = table("federated_token", inner, origin);
    for (key, name) in KEYS {
        if target.get(key).is_none()
            && let Some(value) = variable(name)
        {
            target.set(key, value);
        }
    }
}

fn of_variable(name: &str, value: &str) -> Node {
    Node {
        value: Value::Text(value.to_owned()),
        origin: Origin::Variable(Arc::from(name)),
        raw: None,
    }
}

fn table(key: &str, node: Node, origin: Origin) -> Node {
    Node { value: Value::Table(Table(vec![(key.to_owned(), node)])), origin, raw: None }
}
