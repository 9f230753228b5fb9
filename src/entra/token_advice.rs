//! What an administrator does about a refused token, by code.
//!
//! Follows the Microsoft Entra page "Microsoft Entra authentication and authorization error codes", and for
//! managed identities the page on acquiring tokens on a virtual machine.

/// What to do, by code. A code that is not here gets general words.
pub(super) const ADVICE: &[(&[u32], &str)] = &[
    (
        &[7_000_215],
        "the client secret is wrong: store the secret's value, not its id, of the app registration \
         with this `client_id`",
    ),
    (&[7_000_222], "the client secret has expired: create a new one and store its value"),
    (
        &[7_000_218, 7_000_216],
        "the app wants a credential that was not sent: check `credential` of the target",
    ),
    (
        &[700_016],
        "there is no app with this `client_id` in the tenant: check `client_id`, `tenant_id` and \
         `cloud`",
    ),
    (
        &[7_000_112],
        "the app is disabled: enable its enterprise application in the Entra admin center",
    ),
    (&[90_002, 900_023], "the tenant was not found: check `tenant_id` and `cloud`"),
    (
        &[70_011, 1_002_012, 500_011, 50_001],
        "the tenant does not know Microsoft Graph of this cloud: check `cloud`",
    ),
    (
        &[50_027],
        "the assertion was not understood: check that the certificate is an RSA certificate",
    ),
    (
        &[700_027],
        "the certificate is not registered with the app, or has expired: upload it to the app \
         registration, wait some minutes, and check this machine's clock",
    ),
    (&[700_024], "the assertion is outside its time: set this machine's clock right"),
    (
        &[7_000_214, 7_000_274, 7_000_277, 1_000_502],
        "the certificate is revoked, unusable or out of date: register a new one and store it",
    ),
    (
        &[70_021],
        "no federated credential of the app fits the token: compare issuer, subject and audience with \
         those under the app's certificates and secrets",
    ),
    (
        &[700_211],
        "no federated credential of the app has the token's issuer (`iss`): compare them, letter for \
         letter",
    ),
    (
        &[700_212],
        "no federated credential of the app has the token's audience (`aud`): in the public cloud it \
         is `api://AzureADTokenExchange`",
    ),
    (
        &[700_213],
        "no federated credential of the app has the token's subject (`sub`): in Kubernetes it is \
         `system:serviceaccount:NAMESPACE:ACCOUNT`",
    ),
    (&[53_003], "Conditional Access for workload identities blocks the app: allow this machine"),
];

/// What to do where the assertion is another identity provider's token.
pub(super) const FEDERATED_ADVICE: &[(&[u32], &str)] = &[
    (&[50_027], "the token in the file is none that Entra reads: check that it is a signed JWT"),
    (
        &[700_027, 7_000_214, 7_000_274, 7_000_277, 1_000_502],
        "the token's signature was not accepted: check that the issuer publishes its keys where Entra \
         can read them",
    ),
    (
        &[700_024],
        "the token in the file is outside its time: check that it is being replaced, and this \
         machine's clock",
    ),
];

/// What to do where a managed identity got no token, by IMDS's `error`.
pub(super) const IDENTITY_ADVICE: &[(&str, &str)] = &[
    (
        "bad_request_102",
        "something on the way takes the header `Metadata` out: nothing may stand between this \
         program and 169.254.169.254",
    ),
    ("invalid_resource", "the machine's cloud does not know this Microsoft Graph: check `cloud`"),
    (
        "unknown_source",
        "the request did not reach the service as it expects one: nothing may stand between this \
         program and 169.254.169.254",
    ),
    (
        "invalid_request",
        "the machine has no such identity: switch its managed identity on, or assign the one that \
         `client_id` of `managed_identity` names; with several, name one",
    ),
    (
        "unauthorized_client",
        "the identity may not get this token: look at it in the Entra admin center, under \
         enterprise applications",
    ),
];
