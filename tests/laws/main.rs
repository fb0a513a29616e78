//! The laws that the documentation promises, a module for each, and the same laws with processors in the path.

use soundtrack_test_support::renders;

mod automation;
mod block;
mod keys;
mod limiter;
mod live;
mod overview;
mod processors;
mod random_sessions;
mod range;
mod refusal;
mod silence;
mod stems;
mod sync;
mod thread;
mod unity;
