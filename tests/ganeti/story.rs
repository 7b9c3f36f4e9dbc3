//! The steps, one after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::cluster::Cluster;
use crate::{bridged, cluster, demo, document, evidence, left, routed};

/// One step: what it is called, and what it does with the cluster.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// `module::function`.
    pub(crate) name: &'static str,
    /// Fails by panic.
    pub(crate) body: fn(&Cluster),
}

/// The table of a module's steps.
macro_rules! steps {
    ($module:ident: $($name:ident),+ $(,)?) => {
        /// The steps of this module, in their order.
        pub(crate) const STEPS: &[$crate::story::Step] = &[$(
            $crate::story::Step { name: concat!(stringify!($module), "::", stringify!($name)), body: $name },
        )+];
    };
}
pub(crate) use steps;

/// Takes all steps, with cargo's kind of output.
pub(crate) fn tell() -> ExitCode {
    // Each of them on this thread, which is in the namespaces that are meant.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::default() };
    let cluster = Arc::new(Mutex::new(Some(Cluster::new())));
    let steps = [cluster::STEPS, demo::STEPS, bridged::STEPS, routed::STEPS, left::STEPS, document::STEPS];
    let trials = steps.into_iter().flatten().map(|step| {
        let cluster = Arc::clone(&cluster);
        Trial::ignorable_test(step.name, move || take(*step, &cluster))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// Takes a step, if there is a cluster that is in order. A step that fails takes the cluster away.
fn take(step: Step, cluster: &Mutex<Option<Cluster>>) -> Result<Completion, Failed> {
    let mut place = cluster.lock().unwrap();
    let Some(cluster) = place.take() else {
        return Ok(Completion::ignored_with("an earlier step failed"));
    };
    if catch_unwind(AssertUnwindSafe(|| (step.body)(&cluster))).is_err() {
        evidence::print();
        return Err("what it said, and what there is, is above".into());
    }
    *place = Some(cluster);
    Ok(Completion::Completed)
}
