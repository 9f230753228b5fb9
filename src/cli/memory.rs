//! What keeps the memory of this process from others: a core dump of a bridge is the key to a tenant.

/// Sees to it that no core dump is written of this process or of the programs that it starts, and on
/// Linux that only root can look into it. Where the system refuses, everything goes on as before.
#[cfg(unix)]
pub(super) fn keep_private() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::debug!(%error, "core dumps cannot be ruled out");
    }
    // a program that the kernel hands dumps to is not bound by that limit
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            tracing::debug!(%error, "core dumps cannot be ruled out");
        }
    }
}

/// Windows writes no dump of a program unless somebody has set that up for the whole machine.
#[cfg(not(unix))]
pub(super) fn keep_private() {}
